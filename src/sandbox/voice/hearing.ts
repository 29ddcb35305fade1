import { FRAME_SAMPLES, OPUS_SILENCE, SAMPLE_RATE_HZ } from '../../audio/frame.ts';
import { OpusDecoder, OpusPacketError } from '../../audio/opus.ts';
import { encodeWav } from '../../audio/wav.ts';
import type { Heard, HeardPacket } from '../control/protocol.ts';
import type { RtpPacket } from './rtp.ts';

/** How much is kept of what one member heard of another; the oldest is dropped. */
export const KEPT_MS = 10 * 60_000;
const RTP_TICKS_PER_SAMPLE = 48_000 / SAMPLE_RATE_HZ;
/** A timestamp further back than this is a new stream, not a late packet. */
const MAX_LATE_TICKS = 48_000;
/** A sender whose timestamps run away does not make the timeline longer than what is kept. */
const MAX_TIMELINE_SAMPLES = (KEPT_MS * SAMPLE_RATE_HZ) / 1000;

/** One packet as it was heard. */
export interface HeardSound {
  readonly packet: HeardPacket;
  readonly ssrc: number;
  readonly samples: Int16Array;
}

/** Decodes one sender's track once, for everybody who hears it. */
export class Track implements Disposable {
  readonly #decoder = new OpusDecoder();

  /** `atMs` is when the packet arrived. What cannot be decoded is heard as silence. */
  hear(rtp: RtpPacket, opus: Uint8Array, atMs: number): HeardSound {
    const samples = this.#decode(opus);
    return {
      ssrc: rtp.ssrc,
      samples,
      packet: {
        atMs,
        sequence: rtp.sequence,
        timestamp: rtp.timestamp,
        silence: isSilence(opus),
        level: rootMeanSquare(samples),
      },
    };
  }

  [Symbol.dispose](): void {
    this.#decoder[Symbol.dispose]();
  }

  #decode(opus: Uint8Array): Int16Array {
    try {
      return this.#decoder.decode(opus);
    } catch (error) {
      if (error instanceof OpusPacketError) return new Int16Array(FRAME_SAMPLES);
      throw error;
    }
  }
}

/** What one member has heard of another. */
export class Recording {
  readonly #sounds: HeardSound[] = [];

  /** When the newest sound arrived. */
  get lastMs(): number {
    return this.#sounds.at(-1)?.packet.atMs ?? Number.NEGATIVE_INFINITY;
  }

  add(sound: HeardSound): void {
    this.#sounds.push(sound);
    const oldestMs = sound.packet.atMs - KEPT_MS;
    // One at a time, as one comes in: a packet never pushes out more than a few.
    while ((this.#sounds[0]?.packet.atMs ?? oldestMs) < oldestMs) this.#sounds.shift();
  }

  /** The packets since then, and their sound on the sender's timeline, when that is wanted. */
  since(sinceMs: number, sound: boolean): Heard {
    const sounds = this.#sounds.filter(({ packet }) => packet.atMs >= sinceMs);
    const wav = sound ? Buffer.from(encodeWav(onTimeline(sounds), SAMPLE_RATE_HZ)).toString('base64') : '';
    return { packets: sounds.map(({ packet }) => packet), wav };
  }
}

/** Whether this is Opus's silence packet, which never carries a voice. */
export function isSilence(opus: Uint8Array): boolean {
  return Buffer.compare(opus, OPUS_SILENCE) === 0;
}

/** Puts each packet where its timestamp says; what is missing is silence. A new stream begins where its packets arrived. */
function onTimeline(sounds: readonly HeardSound[]): Int16Array {
  const placed: { readonly at: number; readonly samples: Int16Array }[] = [];
  let before: { readonly sound: HeardSound; readonly at: number } | undefined;
  let end = 0;
  for (const sound of sounds) {
    const at = before === undefined ? 0 : placeAfter(before.sound, before.at, sound, end);
    before = { sound, at };
    if (at < 0 || at > MAX_TIMELINE_SAMPLES) continue;
    placed.push({ at, samples: sound.samples });
    end = Math.max(end, at + sound.samples.length);
  }
  const timeline = new Int16Array(end);
  for (const { at, samples } of placed) timeline.set(samples, at);
  return timeline;
}

function placeAfter(before: HeardSound, beforeAt: number, sound: HeardSound, end: number): number {
  // 32-bit difference, so that the timestamp may wrap.
  const ticks = (sound.packet.timestamp - before.packet.timestamp) | 0;
  const sameStream = sound.ssrc === before.ssrc && ticks > -MAX_LATE_TICKS && ticks <= KEPT_MS * 48;
  if (sameStream) return beforeAt + Math.round(ticks / RTP_TICKS_PER_SAMPLE);
  const elapsedMs = sound.packet.atMs - before.packet.atMs;
  return Math.max(end, beforeAt + Math.round((elapsedMs * SAMPLE_RATE_HZ) / 1000));
}

function rootMeanSquare(samples: Int16Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return samples.length === 0 ? 0 : Math.sqrt(sum / samples.length) / 32_768;
}
