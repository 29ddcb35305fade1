import type { VoiceActivityDetector } from '../../audio/vad.ts';
import type { HeardSound } from './hearing.ts';
import { LiveMicrophone, type LiveTrack } from './live-microphone.ts';

/** One packet that a listener has just heard. */
export type LiveListener = (senderId: string, sound: HeardSound) => void;

/** Sound as it happens: what a person hears, and a microphone to speak with. */
export class LiveSound {
  readonly #createVoiceActivity: () => VoiceActivityDetector;
  readonly #trackOf: (personId: string) => LiveTrack | undefined;
  readonly #listeners = new Map<string, Set<LiveListener>>();

  constructor(createVoiceActivity: () => VoiceActivityDetector, trackOf: (personId: string) => LiveTrack | undefined) {
    this.#createVoiceActivity = createVoiceActivity;
    this.#trackOf = trackOf;
  }

  /** Disposing the result ends it. The listener must return soon: it stands in the way of every packet. */
  listen(personId: string, listener: LiveListener): Disposable {
    const listeners = this.#listeners.get(personId) ?? new Set();
    this.#listeners.set(personId, listeners.add(listener));
    return {
      [Symbol.dispose]: () => {
        listeners.delete(listener);
        if (listeners.size === 0) this.#listeners.delete(personId);
      },
    };
  }

  /** A packet has reached a person. */
  heard(personId: string, senderId: string, sound: HeardSound): void {
    for (const listener of this.#listeners.get(personId) ?? []) listener(senderId, sound);
  }

  microphone(personId: string): LiveMicrophone {
    return new LiveMicrophone(this.#createVoiceActivity(), () => this.#trackOf(personId));
  }
}
