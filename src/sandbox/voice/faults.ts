/** What is to go wrong next. Each is used up as it happens. */
export class FaultPlan {
  #dropDiscovery = 0;
  #lateSpeaking = { delayMs: 0, times: 0 };
  readonly #wrongKey = { transport: 0, dave: 0 };

  dropDiscovery(times: number): void {
    this.#dropDiscovery = times;
  }

  lateSpeaking(delayMs: number, times: number): void {
    this.#lateSpeaking = { delayMs, times };
  }

  wrongKey(layer: 'transport' | 'dave', times: number): void {
    this.#wrongKey[layer] = times;
  }

  /** Whether this IP discovery stays unanswered. */
  takeDroppedDiscovery(): boolean {
    if (this.#dropDiscovery === 0) return false;
    this.#dropDiscovery -= 1;
    return true;
  }

  /** How late this opcode 5 is to be. */
  takeSpeakingDelayMs(): number {
    if (this.#lateSpeaking.times === 0) return 0;
    this.#lateSpeaking.times -= 1;
    return this.#lateSpeaking.delayMs;
  }

  /** Whether this packet is to be encrypted with a wrong key. */
  takeWrongKey(layer: 'transport' | 'dave'): boolean {
    if (this.#wrongKey[layer] === 0) return false;
    this.#wrongKey[layer] -= 1;
    return true;
  }
}
