import { TRAILING_SILENCE_FRAMES, type Frame } from '../../audio/frame.ts';
import type { Clock } from '../../time/clock.ts';
import type { SpokenReport } from '../control/protocol.ts';
import { Refusal } from '../control/refusal.ts';
import type { CodedSpeech } from './coded-speech.ts';
import { Track } from './hearing.ts';
import { Microphone } from './microphone.ts';
import type { PersonDave } from './person-dave.ts';
import type { Random } from './random.ts';
import type { RtpPacket } from './rtp.ts';
import type { CallMember } from './service.ts';

/** Recordings a person has still to speak, the one being spoken included. */
const MAX_QUEUED = 16;

/** What a person's client does for them. */
export interface PersonOutput {
  /** Resolves when the others can decrypt what is said, or after a while. */
  ready(signal: AbortSignal): Promise<void>;
  speaking(speaking: boolean): void;
  send(packet: RtpPacket): void;
}

/** A person in a call: their switches, their microphone, their end of DAVE, and the track others hear them on. */
export class Person implements Disposable {
  readonly dave: PersonDave;
  readonly track = new Track();
  readonly microphone: Microphone;
  readonly #output: PersonOutput;
  #member: CallMember;
  readonly #waiting: AbortController[] = [];
  #last: Promise<unknown> = Promise.resolve();
  /** When the last packet that was not silence went out. */
  lastVoiceAtMs = 0;
  #speaking = false;
  #liveSilence = 0;

  constructor(options: {
    member: CallMember;
    ssrc: number;
    dave: PersonDave;
    clock: Clock;
    random: Random;
    output: PersonOutput;
  }) {
    this.#member = options.member;
    this.dave = options.dave;
    this.#output = options.output;
    this.microphone = new Microphone(options.ssrc, options.clock, options.random, {
      muted: () => this.#member.muted,
      send: (packet) => {
        this.#setSpeaking(true);
        this.#output.send(packet);
      },
    });
  }

  get member(): CallMember {
    return this.#member;
  }

  /** Their switches changed: whoever is muted is not speaking any more. */
  update(member: CallMember): void {
    this.#member = member;
    if (member.muted) this.#setSpeaking(false);
  }

  /** In the middle of a stretch of speech. */
  get speaking(): boolean {
    return this.#speaking;
  }

  /**
   * Speaks after whatever is being spoken already.
   * @throws {Refusal} when {@link MAX_QUEUED} recordings wait.
   */
  speak(speech: CodedSpeech): Promise<SpokenReport> {
    if (this.#waiting.length >= MAX_QUEUED) return Promise.reject(new Refusal('Too many recordings to speak.'));
    const stop = new AbortController();
    this.#waiting.push(stop);
    const before = this.#last;
    const report = (async () => {
      await before;
      try {
        if (!stop.signal.aborted) await this.#output.ready(stop.signal);
        return await this.microphone.talk(speech, stop.signal);
      } finally {
        this.#waiting.shift();
        this.#setSpeaking(false);
      }
    })();
    this.#last = report.catch(() => {});
    return report;
  }

  /** A frame of a live microphone, or one of the silence frames after it. Recordings are not talked over. */
  sendLive(frame: Frame, silence: boolean): void {
    if (this.#waiting.length > 0 || this.#member.muted) return;
    if (!silence) {
      this.#liveSilence = 0;
      this.microphone.sendLive(frame, !this.#speaking);
    } else if (this.#speaking) {
      this.microphone.sendLiveSilence();
      this.#liveSilence += 1;
      if (this.#liveSilence === TRAILING_SILENCE_FRAMES) this.#setSpeaking(false);
    }
  }

  /** Ends what is being said, and what was still to be said. */
  stopSpeaking(): void {
    for (const abort of this.#waiting) abort.abort();
  }

  [Symbol.dispose](): void {
    this.microphone[Symbol.dispose]();
    this.stopSpeaking();
    this.#setSpeaking(false);
    this.dave[Symbol.dispose]();
    this.track[Symbol.dispose]();
  }

  #setSpeaking(speaking: boolean): void {
    if (this.#speaking === speaking) return;
    this.#speaking = speaking;
    this.#output.speaking(speaking);
  }
}
