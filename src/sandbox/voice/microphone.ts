import {
  FRAME_MS,
  FRAME_SAMPLES,
  OPUS_SILENCE,
  RTP_TICKS_PER_FRAME,
  TRAILING_SILENCE_FRAMES,
} from '../../audio/frame.ts';
import { OpusEncoder } from '../../audio/opus.ts';
import { sleep, type Clock } from '../../time/clock.ts';
import type { SpokenReport } from '../control/protocol.ts';
import type { CodedSpeech } from './coded-speech.ts';
import { randomInteger, type Random } from './random.ts';
import type { RtpPacket } from './rtp.ts';

/** Where a microphone's packets go. */
export interface MicrophoneOutput {
  readonly muted: () => boolean;
  readonly send: (packet: RtpPacket) => void;
}

/**
 * A person's outgoing track: Opus frames each 20 ms on an absolute schedule of the monotonic clock, so that late timers
 * never add up, with one run of sequence numbers and timestamps for as long as the person is in the call.
 */
export class Microphone implements Disposable {
  readonly ssrc: number;
  /** One for all that is said: what it codes next builds on what a listener's decoder has heard. */
  readonly #encoder = new OpusEncoder('live');
  /** A stretch of silence has been sent, on which speech that was coded before can follow. */
  #afterSilence = false;
  readonly #clock: Clock;
  readonly #output: MicrophoneOutput;
  readonly #closed = new AbortController();
  #sequence: number;
  #timestamp: number;
  /** When the frame of `#timestamp` was due. */
  #timestampAtMs: number;

  constructor(ssrc: number, clock: Clock, random: Random, output: MicrophoneOutput) {
    this.ssrc = ssrc;
    this.#clock = clock;
    this.#output = output;
    this.#sequence = randomInteger(random, 2 ** 16);
    this.#timestamp = randomInteger(random, 2 ** 32);
    this.#timestampAtMs = clock.nowMs();
  }

  /** Speaks, then sends the silence frames, which also follow when `signal` ends the speech early. */
  async talk(speech: CodedSpeech, signal: AbortSignal): Promise<SpokenReport> {
    const closed = this.#closed.signal;
    const interrupted = AbortSignal.any([signal, closed]);
    // The coder looks ahead, so the sound's end leaves it that much later.
    const soundSamples = speech.samples.length;
    const frames = closed.aborted ? 0 : Math.ceil((soundSamples + this.#encoder.lookaheadSamples) / FRAME_SAMPLES);
    const startMs = this.#clock.nowMs();
    this.#catchUp(startMs);
    let voicePackets = 0;
    let firstPacketAtMs = startMs;
    let lastVoicePacketAtMs = startMs;
    let sent = 0;
    for (; sent < frames; sent += 1) {
      await this.#until(startMs + sent * FRAME_MS, interrupted);
      if (interrupted.aborted) break;
      const opus = this.#afterSilence ? speech.packet(sent) : this.#encoder.encode(speech.frame(sent));
      const atMs = this.#clock.nowMs();
      if (!this.#send(opus, startMs + sent * FRAME_MS)) continue;
      if (voicePackets === 0) firstPacketAtMs = atMs;
      lastVoicePacketAtMs = atMs;
      voicePackets += 1;
    }
    const silentFrames = voicePackets > 0 ? TRAILING_SILENCE_FRAMES : 0;
    for (let silent = 0; silent < silentFrames; silent += 1, sent += 1) {
      await this.#until(startMs + sent * FRAME_MS, closed);
      if (closed.aborted) break;
      // Discord's client codes the silence and sends this in its place, so that both ends forget the sound before.
      this.#encoder.encode(new Int16Array(FRAME_SAMPLES));
      this.#send(OPUS_SILENCE, startMs + sent * FRAME_MS);
    }
    if (silentFrames > 0) this.#afterSilence = true;
    return { firstPacketAtMs, lastVoicePacketAtMs, voicePackets, interrupted: interrupted.aborted };
  }

  /** Sends a frame of a live source at once. `resumes`: there was a pause before it. */
  sendLive(frame: Int16Array, resumes: boolean): void {
    if (resumes) this.#catchUp(this.#clock.nowMs());
    this.#afterSilence = false;
    this.#send(this.#encoder.encode(frame), this.#timestampAtMs);
  }

  /** Sends one of the silence frames that end a stretch of live sound. */
  sendLiveSilence(): void {
    this.#encoder.encode(new Int16Array(FRAME_SAMPLES));
    this.#send(OPUS_SILENCE, this.#timestampAtMs);
  }

  /** The person has left: nothing is sent any more, silence frames neither. */
  [Symbol.dispose](): void {
    this.#closed.abort();
    this.#encoder[Symbol.dispose]();
  }

  /** The RTP clock runs on through pauses, in whole frames. */
  #catchUp(nowMs: number): void {
    const pausedFrames = Math.max(1, Math.round((nowMs - this.#timestampAtMs) / FRAME_MS));
    this.#advance(pausedFrames, nowMs);
  }

  #advance(frames: number, atMs: number): void {
    this.#timestamp = (this.#timestamp + frames * RTP_TICKS_PER_FRAME) % 2 ** 32;
    this.#timestampAtMs = atMs;
  }

  #send(opus: Uint8Array, dueMs: number): boolean {
    const muted = this.#output.muted();
    if (!muted) {
      const payload = Buffer.from(opus.buffer, opus.byteOffset, opus.byteLength);
      this.#output.send({ sequence: this.#sequence, timestamp: this.#timestamp, ssrc: this.ssrc, payload });
      this.#sequence = (this.#sequence + 1) % 2 ** 16;
    }
    this.#advance(1, dueMs + FRAME_MS);
    return !muted;
  }

  /** Waits for the moment, or for the signal. Which it was is to be asked afterwards: more may have happened by then. */
  async #until(dueMs: number, signal: AbortSignal): Promise<void> {
    const delayMs = dueMs - this.#clock.nowMs();
    if (!signal.aborted && delayMs > 0) await sleep(this.#clock, delayMs, signal).catch(() => {});
  }
}
