import { OPUS_SILENCE, TRAILING_SILENCE_FRAMES } from '../audio/frame.ts';
import type { Log } from '../telemetry/log.ts';
import type { Clock } from '../time/clock.ts';
import { DaveRecovery } from './dave-recovery.ts';
import { HearingWatchdog } from './hearing-watchdog.ts';
import type { VoiceRights } from './voice-gate.ts';
import type { VoicePacket } from './voice-packets.ts';
import type { VoiceSession } from './voice-session.ts';

const LOOK_EVERY_MS = 1_000;
const SLOW_PING_MS = 500;

/** What works less well than it should. */
export type LinkTrouble =
  /** Members speak and nothing arrives, and joining again has not helped. People are told. */
  | { readonly kind: 'cannot-hear' }
  /** One member's speech cannot be decrypted, and new keys and joining again have not helped. People are told. */
  | { readonly kind: 'cannot-decrypt'; readonly userId: string }
  /** The voice server is far away or busy: said once, for the log. People can do nothing about it, and are not told. */
  | { readonly kind: 'slow'; readonly pingMs: number };

export interface LinkHealthOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** The session of the moment; `undefined` between two. */
  readonly session: () => VoiceSession | undefined;
  readonly onTrouble: (trouble: LinkTrouble) => void;
}

/** Watches a link that looks well but may not be: nothing arrives, a member cannot be decrypted, the server is slow. */
export class LinkHealth implements Disposable {
  readonly #options: LinkHealthOptions;
  readonly #recovery = new DaveRecovery();
  readonly #watchdog = new HearingWatchdog();
  #timer: Disposable;
  /** A moderator has deafened us: then nothing is meant to arrive. */
  #deafened = false;
  #toldSlow = false;

  constructor(options: LinkHealthOptions) {
    this.#options = options;
    this.#timer = this.#lookLater();
  }

  /** A member whom we want to hear says that they speak. */
  speaking(): void {
    if (!this.#deafened) this.#watchdog.speaking(this.#options.clock.nowMs());
  }

  heard(packet: VoicePacket): void {
    this.#watchdog.heard();
    // Silence is never end-to-end encrypted: it says nothing about the keys.
    if (!packet.opus.equals(OPUS_SILENCE)) this.#recovery.heard(packet.userId);
  }

  /** The connection is not ready any more: what is not heard now says nothing. */
  interrupted(): void {
    this.#watchdog.pause();
  }

  rights({ serverDeaf }: VoiceRights): void {
    this.#deafened = serverDeaf;
    if (serverDeaf) this.#watchdog.pause();
  }

  /** A member's packets fail, and have for longer than a change of keys takes. */
  undecryptable(userId: string): void {
    const step = this.#recovery.failed(userId);
    this.#options.log.warn({ userId, step }, 'member cannot be decrypted');
    switch (step) {
      case 'new-keys': {
        const dave = this.#options.session()?.dave;
        // Transition 0 is the first group's: the library leaves it out by mistake, the voice server does not.
        dave?.recoverFromInvalidTransition(dave.lastTransitionId ?? 0);
        break;
      }
      case 'rejoin':
        this.#options.session()?.end({ kind: 'deaf' });
        break;
      case 'tell':
        this.#options.onTrouble({ kind: 'cannot-decrypt', userId });
        break;
      case undefined:
        break;
    }
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
  }

  #lookLater(): Disposable {
    return this.#options.clock.after(LOOK_EVERY_MS, () => {
      this.#timer = this.#lookLater();
      const session = this.#options.session();
      if (session) this.#look(session);
    });
  }

  #look(session: VoiceSession): void {
    const { clock, log, onTrouble } = this.#options;
    const { pingMs } = session;
    if (pingMs !== undefined && pingMs > SLOW_PING_MS && !this.#toldSlow) {
      this.#toldSlow = true;
      log.warn({ pingMs }, 'voice server is slow');
      onTrouble({ kind: 'slow', pingMs });
    }
    const step = this.#watchdog.tick(clock.nowMs());
    if (!step) return;
    log.warn({ step, packets: session.packets.counts }, 'members speak and nothing arrives');
    switch (step) {
      case 'send-silence':
        for (let frame = 0; frame < TRAILING_SILENCE_FRAMES; frame++) session.sendOpus(OPUS_SILENCE);
        // A reply that is being played says that it speaks with each frame.
        session.setSpeaking(false);
        break;
      case 'rejoin':
        session.end({ kind: 'deaf' });
        break;
      case 'tell':
        onTrouble({ kind: 'cannot-hear' });
        break;
    }
  }
}
