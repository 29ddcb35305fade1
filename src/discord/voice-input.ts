import { FRAME_MS, FRAME_SAMPLES, OPUS_SILENCE, RTP_TICKS_PER_FRAME } from '../audio/frame.ts';
import { FrameQueue } from '../audio/frame-queue.ts';
import { JitterBuffer } from '../audio/jitter-buffer.ts';
import { OpusDecoder, OpusPacketError } from '../audio/opus.ts';
import type { Speaker, VoiceInput, VoiceInputEvent } from '../conversation/ports.ts';
import type { Log } from '../telemetry/log.ts';
import type { Clock } from '../time/clock.ts';
import type { PacketSink, VoicePacket } from './voice-packets.ts';

/** A minute of one speaker. A consumer that is further behind than this has other troubles. */
const MAX_QUEUED_EVENTS = 3_000;

/** Where packets come from: a voice link. */
interface PacketSource {
  receive(sink: PacketSink): Disposable;
}

export interface VoiceInputOptions {
  readonly source: PacketSource;
  /**
   * The member behind an id, while they may be heard: in the channel, no bot, not opted out. Asked for each packet; of
   * anybody else nothing is decrypted or decoded.
   */
  readonly admit: (userId: string) => Speaker | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** A jump of the sender's clock beyond this is a new numbering, not a pause. */
const MAX_PAUSE_MS = 10 * 60_000;

/** Counts since the start, for the log and for tests. */
export interface VoiceInputCounts {
  readonly frames: number;
  readonly concealed: number;
  /** Packets that came twice, or after their place had been concealed. */
  readonly duplicate: number;
  readonly late: number;
  readonly undecodable: number;
}

/**
 * Everyone who may be heard, each on their own track: packets in order, decoded to frames of 20 ms at 24 kHz, lost ones
 * concealed. One bad packet costs 20 ms of one track and nothing else.
 */
export class VoiceTracks implements VoiceInput {
  readonly #options: VoiceInputOptions;
  readonly #tracks = new Map<string, Track>();
  readonly #counts = { frames: 0, concealed: 0, duplicate: 0, late: 0, undecodable: 0 };
  #queue: FrameQueue<VoiceInputEvent> | undefined;

  constructor(options: VoiceInputOptions) {
    this.#options = options;
  }

  get counts(): VoiceInputCounts {
    return this.#counts;
  }

  /**
   * Hears everyone until the signal aborts. One listener at a time.
   * @throws {TypeError} when somebody is listening already.
   */
  async *listen(signal: AbortSignal): AsyncGenerator<VoiceInputEvent, void, undefined> {
    if (this.#queue) throw new TypeError('somebody is listening already');
    const queue = new FrameQueue<VoiceInputEvent>(MAX_QUEUED_EVENTS);
    const onAbort = (): void => queue.end();
    if (signal.aborted) return;
    signal.addEventListener('abort', onAbort, { once: true });
    this.#queue = queue;
    try {
      using _receiving = this.#options.source.receive({
        wants: (userId) => this.#options.admit(userId) !== undefined,
        accept: (packet) => this.#accept(packet),
      });
      for await (const event of queue) {
        if (signal.aborted) return;
        yield event;
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      for (const track of this.#tracks.values()) track[Symbol.dispose]();
      this.#tracks.clear();
      this.#queue = undefined;
      this.#options.log.debug({ ...this.#counts, dropped: queue.dropped }, 'voice input ended');
    }
  }

  /**
   * The member left the channel, was moved away or may not be heard any more (`absent`), or cannot speak for now (`muted`).
   * To be called as Discord's voice states change.
   */
  silenced(userId: string, why: 'absent' | 'muted'): void {
    const track = this.#tracks.get(userId);
    if (!track) return;
    track.flush();
    this.#queue?.offer({ type: 'gone', speaker: track.speaker, atMs: this.#options.clock.nowMs() });
    // Unmuting restarts the numbering, often with the same SSRC.
    track[Symbol.dispose]();
    this.#tracks.delete(userId);
    this.#options.log.debug({ userId, why }, 'speaker silenced');
  }

  /** The member does not want to be heard any more: nothing of theirs that is under way goes on. */
  withdrawn(userId: string): void {
    const track = this.#tracks.get(userId);
    track?.[Symbol.dispose]();
    this.#tracks.delete(userId);
    const speaker = track?.speaker ?? { id: userId, name: '' };
    this.#queue?.offer({ type: 'withdrawn', speaker, atMs: this.#options.clock.nowMs() });
  }

  #accept(packet: VoicePacket): void {
    const queue = this.#queue;
    const speaker = this.#options.admit(packet.userId);
    if (!queue || !speaker) return;
    let track = this.#tracks.get(packet.userId);
    if (!track) {
      const { clock } = this.#options;
      track = new Track({ speaker, clock, counts: this.#counts, emit: (event) => this.#queue?.offer(event) });
      this.#tracks.set(packet.userId, track);
    }
    track.push(packet);
  }
}

interface TrackOptions {
  readonly speaker: Speaker;
  readonly clock: Clock;
  readonly counts: { -readonly [Count in keyof VoiceInputCounts]: number };
  readonly emit: (event: VoiceInputEvent) => void;
}

/** One speaker from packets to frames. */
class Track implements Disposable {
  readonly speaker: Speaker;
  readonly #options: TrackOptions;
  readonly #buffer = new JitterBuffer<VoicePacket>();
  readonly #decoder = new OpusDecoder();
  /** Decoded samples that do not fill a frame yet: packets may hold 10, 40 or 60 ms. */
  #rest = new Int16Array();
  /** Lost time that does not fill a frame yet. */
  #lostTicks = 0;
  #silent = false;
  /** The timestamp at which the sound so far ends. */
  #endTimestamp: number | undefined;
  #timer: Disposable | undefined;

  constructor(options: TrackOptions) {
    this.speaker = options.speaker;
    this.#options = options;
  }

  push(packet: VoicePacket): void {
    const { counts, clock } = this.#options;
    const verdict = this.#buffer.push(packet);
    if (verdict === 'duplicate' || verdict === 'late') counts[verdict]++;
    this.#drain(clock.nowMs());
  }

  /** Gives what is still waited for, and the last part of a frame, without waiting. */
  flush(): void {
    this.#drain(Infinity);
    this.#flushRest(this.#options.clock.nowMs());
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#decoder[Symbol.dispose]();
  }

  #drain(nowMs: number): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    for (let next = this.#buffer.pull(nowMs); next; next = this.#buffer.pull(nowMs)) {
      if (next.type === 'packet') this.#decode(next.packet);
      else this.#conceal(next.ticks, next.atMs);
    }
    const { dueAtMs } = this.#buffer;
    if (dueAtMs === undefined) return;
    const { clock } = this.#options;
    this.#timer = clock.after(Math.max(0, dueAtMs - nowMs), () => this.#drain(Math.max(dueAtMs, clock.nowMs())));
  }

  #decode({ opus, atMs, timestamp }: VoicePacket): void {
    const silence = opus.equals(OPUS_SILENCE);
    if (silence && !this.#silent) {
      this.#flushRest(atMs);
      this.#options.emit({ type: 'silence', speaker: this.speaker, atMs });
    }
    this.#silent = silence;
    try {
      const samples = this.#decoder.decode(opus);
      // Silence is decoded for the decoder's own state; the event says it all to the listener.
      if (!silence)
        this.#give(samples, { atMs, concealed: false, pauseMs: this.#pauseBefore(timestamp, samples.length) });
    } catch (error) {
      if (!(error instanceof OpusPacketError)) throw error;
      this.#options.counts.undecodable++;
      this.#conceal(RTP_TICKS_PER_FRAME, atMs);
    }
  }

  #conceal(ticks: number, atMs: number): void {
    // What is lost between silence frames is most likely silence.
    if (this.#silent) return;
    this.#lostTicks += ticks;
    for (; this.#lostTicks >= RTP_TICKS_PER_FRAME; this.#lostTicks -= RTP_TICKS_PER_FRAME) {
      this.#options.counts.concealed++;
      this.#give(this.#decoder.conceal(), { atMs, concealed: true, pauseMs: 0 });
      if (this.#endTimestamp !== undefined) this.#endTimestamp += RTP_TICKS_PER_FRAME;
    }
  }

  /** Silence since the sound before, by the sender's clock; none that can be known after a new numbering. */
  #pauseBefore(timestamp: number, samples: number): number {
    const ticks = this.#endTimestamp === undefined ? 0 : (timestamp - this.#endTimestamp) | 0;
    this.#endTimestamp = (timestamp + (samples * RTP_TICKS_PER_FRAME) / FRAME_SAMPLES) % 2 ** 32;
    const pauseMs = (ticks * FRAME_MS) / RTP_TICKS_PER_FRAME;
    return pauseMs > 0 && pauseMs <= MAX_PAUSE_MS ? pauseMs : 0;
  }

  /** Cuts samples into frames. */
  #give(samples: Int16Array, { pauseMs, ...about }: { atMs: number; concealed: boolean; pauseMs: number }): void {
    let sound = samples;
    if (this.#rest.length > 0) {
      sound = new Int16Array(this.#rest.length + samples.length);
      sound.set(this.#rest);
      sound.set(samples, this.#rest.length);
    }
    const whole = sound.length - (sound.length % FRAME_SAMPLES);
    for (let start = 0; start < whole; start += FRAME_SAMPLES) {
      this.#options.counts.frames++;
      const frame = sound.subarray(start, start + FRAME_SAMPLES);
      this.#options.emit({ type: 'frame', speaker: this.speaker, frame, ...about, pauseMs: start === 0 ? pauseMs : 0 });
    }
    this.#rest = sound.slice(whole);
  }

  /** The end of speech: what does not fill a frame is filled up with silence. */
  #flushRest(atMs: number): void {
    this.#lostTicks = 0;
    if (this.#rest.length > 0) {
      this.#give(new Int16Array(FRAME_SAMPLES - this.#rest.length), { atMs, concealed: false, pauseMs: 0 });
    }
  }
}
