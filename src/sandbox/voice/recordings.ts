import type { Heard } from '../control/protocol.ts';
import { KEPT_MS, Recording, type HeardSound } from './hearing.ts';

/** Beyond this many, the one that has been silent for longest is forgotten. */
const MAX_RECORDINGS = 64;

/** What members of calls have heard of each other. It outlives their calls for a while, so that it can be asked for afterwards. */
export class Recordings {
  /** The one silent for longest comes first. */
  readonly #byPair = new Map<string, Recording>();
  readonly #onSound: (listenerId: string, senderId: string, sound: HeardSound) => void;

  /** `onSound` is told of each packet as it is heard. */
  constructor(onSound: (listenerId: string, senderId: string, sound: HeardSound) => void = () => {}) {
    this.#onSound = onSound;
  }

  add(listenerId: string, senderId: string, sound: HeardSound): void {
    const pair = pairOf(listenerId, senderId);
    const recording = this.#byPair.get(pair) ?? new Recording();
    this.#byPair.delete(pair);
    this.#byPair.set(pair, recording);
    recording.add(sound);
    this.#onSound(listenerId, senderId, sound);
    for (const [silent, { lastMs }] of this.#byPair) {
      if (this.#byPair.size <= MAX_RECORDINGS && lastMs >= sound.packet.atMs - KEPT_MS) break;
      this.#byPair.delete(silent);
    }
  }

  /** What the listener has heard of the sender since then; nothing if they never met. */
  heard(listenerId: string, senderId: string, sinceMs: number, sound = true): Heard {
    return (this.#byPair.get(pairOf(listenerId, senderId)) ?? new Recording()).since(sinceMs, sound);
  }
}

function pairOf(listenerId: string, senderId: string): string {
  return `${listenerId} ${senderId}`;
}
