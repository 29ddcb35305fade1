import { FRAME_SAMPLES, JitterBuffer } from './jitter.ts';
import type { PlayerReport } from './live.ts';

/** A packet as the live socket brings it; see the header of `live-socket.ts`. */
const HEADER_BYTES = 16;
/** Speakers one may hear at once; beyond them the one heard first is forgotten. */
const MAX_SPEAKERS = 16;
/** How often the page is told how the sound is doing. */
const REPORT_FRAMES = 50;

interface Speaker {
  readonly buffer: JitterBuffer;
  frame: Float32Array | undefined;
  at: number;
}

/** Plays what the person hears: each speaker's sound evened out, then all of them together. */
class Player extends AudioWorkletProcessor {
  readonly #speakers = new Map<bigint, Speaker>();
  #samples = 0;

  constructor() {
    super();
    this.port.addEventListener('message', ({ data }: MessageEvent<MessagePort>) => {
      data.addEventListener('message', ({ data: packet }: MessageEvent<ArrayBuffer>) => this.#packet(packet));
      data.start();
    });
    this.port.start();
  }

  process(_inputs: readonly Float32Array[][], [output]: readonly Float32Array[][]): boolean {
    const channel = output?.[0];
    if (!channel) return true;
    for (const speaker of this.#speakers.values()) {
      for (let i = 0; i < channel.length; i++) {
        if (speaker.at === 0) speaker.frame = speaker.buffer.pull();
        channel[i] = (channel[i] ?? 0) + (speaker.frame?.[speaker.at] ?? 0);
        speaker.at = (speaker.at + 1) % FRAME_SAMPLES;
      }
    }
    this.#samples += channel.length;
    if (this.#samples >= REPORT_FRAMES * FRAME_SAMPLES) this.#report();
    return true;
  }

  #report(): void {
    this.#samples = 0;
    const buffers = [...this.#speakers.values()].map(({ buffer }) => buffer);
    const report: PlayerReport = {
      delayMs: Math.max(0, ...buffers.map(({ delayMs }) => delayMs)),
      targetMs: Math.max(0, ...buffers.map(({ targetMs }) => targetMs)),
      interruptions: buffers.reduce((sum, { interruptions }) => sum + interruptions, 0),
    };
    this.port.postMessage(report, []);
  }

  #packet(packet: ArrayBuffer): void {
    const header = new DataView(packet);
    const sender = header.getBigUint64(0, true);
    const silence = header.getUint32(12, true) === 1;
    this.#speaker(sender).buffer.push(Float32Array.from(new Int16Array(packet, HEADER_BYTES), scaled), silence);
  }

  #speaker(sender: bigint): Speaker {
    const known = this.#speakers.get(sender);
    if (known) return known;
    const speaker: Speaker = { buffer: new JitterBuffer(), frame: undefined, at: 0 };
    this.#speakers.set(sender, speaker);
    for (const first of this.#speakers.keys()) {
      if (this.#speakers.size <= MAX_SPEAKERS) break;
      this.#speakers.delete(first);
    }
    return speaker;
  }
}

function scaled(sample: number): number {
  return sample / 32_768;
}

registerProcessor('player', Player);
