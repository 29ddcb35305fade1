import { randomBytes } from 'node:crypto';
import type { WebSocket } from 'ws';
import type { JsonObject } from '../entities.ts';

/** Dispatches kept for a resume; a client that missed more has to begin again. */
const MAX_REPLAY = 2000;

/** Unsent bytes at which a client that does not read is cut off. */
const MAX_BUFFERED_BYTES = 16 * 1024 * 1024;

/** Gateway opcodes ("Gateway Opcodes"). */
export const OPCODES = {
  dispatch: 0,
  heartbeat: 1,
  identify: 2,
  presence: 3,
  voiceState: 4,
  resume: 6,
  reconnect: 7,
  requestMembers: 8,
  invalidSession: 9,
  hello: 10,
  heartbeatAck: 11,
} as const;

/** One identified client. It outlives its socket, so that a new one can resume it without missing a dispatch. */
export class GatewaySession {
  readonly id = randomBytes(16).toString('hex');
  readonly intents: number;
  readonly shard: readonly [number, number];
  socket: WebSocket | undefined;
  /** Runs out while no socket is attached; then the session is over. */
  expiry: Disposable | undefined;
  #sequence = 0;
  readonly #replay: { readonly sequence: number; readonly frame: string }[] = [];

  constructor(intents: number, shard: readonly [number, number], socket: WebSocket) {
    this.intents = intents;
    this.shard = shard;
    this.socket = socket;
  }

  /** Whether this shard is responsible for the guild ("Sharding"). */
  covers(guildId: string): boolean {
    const [shard, count] = this.shard;
    return Number((BigInt(guildId) >> 22n) % BigInt(count)) === shard;
  }

  dispatch(event: string, data: JsonObject): void {
    this.#sequence += 1;
    const frame = JSON.stringify({ op: OPCODES.dispatch, t: event, s: this.#sequence, d: data });
    this.#replay.push({ sequence: this.#sequence, frame });
    if (this.#replay.length > MAX_REPLAY) this.#replay.shift();
    this.#send(frame);
  }

  /** The client has had everything up to this number: it need not be kept. */
  acknowledge(sequence: number): void {
    while (this.#replay[0] && this.#replay[0].sequence <= sequence) this.#replay.shift();
  }

  canResumeFrom(sequence: number): boolean {
    const oldest = this.#replay[0]?.sequence ?? this.#sequence + 1;
    return sequence <= this.#sequence && sequence >= oldest - 1;
  }

  /** Sends again what came after this number, then RESUMED. */
  resume(socket: WebSocket, sequence: number): void {
    this.expiry?.[Symbol.dispose]();
    this.expiry = undefined;
    this.socket = socket;
    for (const missed of this.#replay) if (missed.sequence > sequence) this.#send(missed.frame);
    this.dispatch('RESUMED', { _trace: [] });
  }

  #send(frame: string): void {
    if (this.socket) sendFrame(this.socket, frame);
  }
}

/** Sends a text frame; a client that has stopped reading is cut off. */
export function sendFrame(socket: WebSocket, frame: string): void {
  if (socket.readyState !== socket.OPEN) return;
  if (socket.bufferedAmount > MAX_BUFFERED_BYTES) socket.terminate();
  else socket.send(frame);
}

export function sendOpcode(socket: WebSocket, op: number, data: unknown = null): void {
  sendFrame(socket, JSON.stringify({ op, d: data, s: null, t: null }));
}
