import { DAVESession } from '@snazzah/davey';

import { OPUS_SILENCE } from '../../audio/frame.ts';
import type { Clock } from '../../time/clock.ts';
import type { DaveMember } from './dave-member.ts';

/** The library's enums are ambient, without values to import: their numbers are ours to give. */
type MlsSession = Omit<DAVESession, 'processProposals' | 'decrypt'> & {
  processProposals(
    operation: number,
    proposals: Buffer,
    recognizedUserIds: string[],
  ): ReturnType<DAVESession['processProposals']>;
  decrypt(userId: string, media: number, packet: Buffer): Buffer;
};

/** What a person's client sends back to the delivery service. */
export interface DaveAnswers {
  /** Opcode 26. */
  keyPackage(bytes: Uint8Array): void;
  /** Opcode 28. */
  commit(bytes: Uint8Array): void;
  /** Opcode 23. */
  transitionReady(transitionId: number): void;
  /** Opcode 31. */
  invalid(): void;
}

/** `nothing` until the first group stands; then what the version in force wants. */
type Sending = 'nothing' | 'plain' | 'encrypted';

const PROTOCOL_VERSION = 1;
const OPERATION_APPEND = 0;
const MEDIA_AUDIO = 0;
/** Every DAVE frame ends in these two bytes. */
const MAGIC_MARKER = 0xfafa;
/** Unencrypted frames are still taken for this long after an upgrade, as libdave does. */
const PASSTHROUGH_MS = 10_000;

/**
 * A person's end of DAVE: a real MLS member. It sends with the keys of a new epoch only when the transition is executed,
 * as Discord's own clients do, so that nobody is sent what they cannot yet decrypt.
 */
export class PersonDave implements DaveMember {
  readonly userId: string;
  readonly #channelId: string;
  readonly #clock: Clock;
  readonly #answers: DaveAnswers;
  readonly #recognized: () => string[];
  readonly #answerDelayMs: () => number;
  readonly #timers = new Set<Disposable>();
  #session: MlsSession | undefined;
  #pendingCommit: { readonly id: number; readonly commit: Buffer } | undefined;
  #sending: Sending;
  #passthroughUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: {
    userId: string;
    channelId: string;
    version: 0 | 1;
    clock: Clock;
    answers: DaveAnswers;
    /** Everybody connected to the call: nobody else is let into the group. */
    recognized: () => string[];
    /** How long a commit takes to reach the server, so that either side may be the first. */
    answerDelayMs: () => number;
  }) {
    this.userId = options.userId;
    this.#channelId = options.channelId;
    this.#clock = options.clock;
    this.#answers = options.answers;
    this.#recognized = options.recognized;
    this.#answerDelayMs = options.answerDelayMs;
    this.#sending = options.version === 0 ? 'plain' : 'nothing';
  }

  /** The group's code as Discord shows it, or undefined without a group. */
  get privacyCode(): string | undefined {
    return this.#session?.voicePrivacyCode || undefined;
  }

  /** The code that two members compare to know each other. */
  async verificationCode(userId: string): Promise<string | undefined> {
    return this.#session?.getVerificationCode(userId);
  }

  externalSender(packageBytes: Buffer): void {
    const first = this.#session === undefined;
    this.#session ??= new DAVESession(PROTOCOL_VERSION, this.userId, this.#channelId);
    this.#session.setExternalSender(packageBytes);
    if (first) this.#answers.keyPackage(this.#session.getSerializedKeyPackage());
  }

  proposals(payload: Buffer): void {
    let result: ReturnType<MlsSession['processProposals']> | undefined;
    try {
      result = this.#session?.processProposals(OPERATION_APPEND, payload.subarray(1), this.#recognized());
    } catch {
      this.#beginAgain();
    }
    if (!result?.commit) return;
    const answer = result.welcome ? Buffer.concat([result.commit, result.welcome]) : result.commit;
    this.#later(this.#answerDelayMs(), () => this.#answers.commit(answer));
  }

  announceCommit(transitionId: number, commit: Buffer): void {
    this.#pendingCommit = { id: transitionId, commit };
    // The keys used for sending change with the commit, so it waits for the order. Transition 0 has no order to wait for.
    if (transitionId === 0) this.#applyCommit();
    this.#answers.transitionReady(transitionId);
  }

  welcome(transitionId: number, welcome: Buffer): void {
    try {
      this.#session?.processWelcome(welcome);
    } catch {
      this.#beginAgain();
      return;
    }
    this.#answers.transitionReady(transitionId);
  }

  prepareEpoch(): void {
    if (this.#sending === 'encrypted') this.#sending = 'nothing';
    this.#reinit();
  }

  prepareTransition(transitionId: number): void {
    if (transitionId !== 0) this.#answers.transitionReady(transitionId);
  }

  executeTransition(_transitionId: number, version: number): void {
    this.#applyCommit();
    if (version === 0) {
      this.#sending = 'plain';
    } else if (this.#session?.ready) {
      if (this.#sending === 'plain') this.#passthroughUntilMs = this.#clock.nowMs() + PASSTHROUGH_MS;
      this.#sending = 'encrypted';
    }
  }

  /** What leaves for the others, or undefined while nothing may be sent. Silence frames are never encrypted. */
  encrypt(opus: Uint8Array): Buffer | undefined {
    const packet = Buffer.from(opus);
    if (packet.equals(OPUS_SILENCE)) return packet;
    if (this.#sending === 'plain') return packet;
    return this.#sending === 'encrypted' && this.#session?.ready ? this.#session.encryptOpus(packet) : undefined;
  }

  /** The Opus packet that `userId` sent, or undefined when this member cannot or may not play it. */
  decrypt(userId: string, payload: Buffer): Buffer | undefined {
    if (payload.equals(OPUS_SILENCE)) return payload;
    if (payload.length < 2 || payload.readUInt16BE(payload.length - 2) !== MAGIC_MARKER) {
      return this.#sending === 'plain' || this.#clock.nowMs() < this.#passthroughUntilMs ? payload : undefined;
    }
    const opus = this.#tryDecrypt(userId, payload);
    if (opus || !this.#pendingCommit) return opus;
    // A sender that already uses the keys of the epoch to come has followed the commit: so can we.
    this.#applyCommit();
    return this.#tryDecrypt(userId, payload);
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) timer[Symbol.dispose]();
    this.#timers.clear();
    this.#session?.reset();
    this.#session = undefined;
  }

  #tryDecrypt(userId: string, payload: Buffer): Buffer | undefined {
    if (!this.#session?.ready) return undefined;
    try {
      return this.#session.decrypt(userId, MEDIA_AUDIO, payload);
    } catch {
      return undefined;
    }
  }

  #applyCommit(): void {
    const pending = this.#pendingCommit;
    this.#pendingCommit = undefined;
    if (!pending) return;
    try {
      this.#session?.processCommit(pending.commit);
    } catch {
      this.#beginAgain();
    }
  }

  #beginAgain(): void {
    this.#answers.invalid();
    this.#sending = 'nothing';
    this.#reinit();
  }

  #reinit(): void {
    this.#pendingCommit = undefined;
    if (this.#session) this.#session.reinit(PROTOCOL_VERSION, this.userId, this.#channelId);
    else this.#session = new DAVESession(PROTOCOL_VERSION, this.userId, this.#channelId);
    this.#answers.keyPackage(this.#session.getSerializedKeyPackage());
  }

  #later(delayMs: number, run: () => void): void {
    const timer = this.#clock.after(delayMs, () => {
      this.#timers.delete(timer);
      run();
    });
    this.#timers.add(timer);
  }
}
