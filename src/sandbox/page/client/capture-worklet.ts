import { FRAME_SAMPLES } from './jitter.ts';

const RATE_HZ = 24_000;

/** Cuts what the microphone hears into 20 ms frames of 24 kHz mono 16-bit sound and hands them to a port. */
class Capture extends AudioWorkletProcessor {
  readonly #ports: MessagePort[] = [];
  #frame = new Int16Array(FRAME_SAMPLES);
  #length = 0;
  /** Where the next output sample lies after the last input sample, for contexts of another rate. */
  #position = 0;
  #last = 0;

  constructor() {
    super();
    this.port.addEventListener('message', ({ data }: MessageEvent<MessagePort>) => this.#ports.push(data));
    this.port.start();
  }

  process([input]: readonly Float32Array[][]): boolean {
    const sound = input?.[0];
    if (!sound) return true;
    const step = sampleRate / RATE_HZ;
    for (const sample of sound) {
      for (; this.#position <= 1; this.#position += step) {
        this.#push(this.#last + (sample - this.#last) * this.#position);
      }
      this.#position -= 1;
      this.#last = sample;
    }
    return true;
  }

  #push(sample: number): void {
    this.#frame[this.#length++] = Math.max(-32_768, Math.min(32_767, Math.round(sample * 32_768)));
    if (this.#length < FRAME_SAMPLES) return;
    for (const port of this.#ports) port.postMessage(this.#frame);
    this.#frame = new Int16Array(FRAME_SAMPLES);
    this.#length = 0;
  }
}

registerProcessor('capture', Capture);
