import { FRAME_MS } from '../audio/frame.ts';

/** The voice goes through two networks, a jitter buffer and a loudspeaker, and back: 100 to 400 ms in practice. */
const MAX_LAG = 800 / FRAME_MS;
/** What is compared: long enough that speech of somebody else is not alike by chance, short enough to notice them soon. */
const WINDOW = 800 / FRAME_MS;
const SLOTS = 2 * (MAX_LAG + WINDOW);

/** Quieter is silence. */
const FLOOR_DBFS = -70;
/** Levels fall no faster than this a frame, as in a room: without it every gap between words would differ by the room. */
const DECAY_DB = 3;
/** Levels are compared as roots of amplitudes: squares would see the loudest vowels only, decibels mostly the noise. */
const ROOT = 40;

/**
 * Correlation that makes an echo. Measured on synthesised speech through rooms of 0.2 to 0.5 s at -20 dB: 0.87 and more
 * for an echo, 0.57 (median) for somebody else.
 */
const ALIKE = 0.85;
/** An echo is quieter than what was sent. Who speaks into a microphone seldom is, and then chance likeness is no echo. */
const LEAST_LOSS_DB = 8;
/** So many frames in a row at one lag, a frame more or less, make a path that is known. */
const STABLE_FRAMES = 10;
/** Louder than the echo can be by this, somebody speaks over it. */
const OVER_ECHO_DB = 8;
/** The path is measured anew for each reply: people move and put on headphones. */
const PATH_LIFE_MS = 2000;

/** How the bot's voice comes back through one speaker's microphone. */
interface Path {
  readonly lag: number;
  readonly gainDb: number;
}

interface Hearing {
  readonly envelope: Envelope;
  /** The last findings, as long as they agree. */
  candidate: { readonly lag: number; readonly frames: number } | undefined;
  path: Path | undefined;
}

/**
 * Knows the bot's own voice when it comes back from a loudspeaker through somebody's microphone, by comparing how loud
 * both are from frame to frame: the same rises and falls, later and quieter. Pure: time comes in with each call.
 *
 * At the beginning of a reply each frame takes 41 correlations over 40 frames (about 10 microseconds); once the path is
 * known, a handful of comparisons. An echo that is hardly quieter than what was sent is not told from a person.
 */
export class EchoGate {
  readonly #sent = new Envelope();
  readonly #hearings = new Map<string, Hearing>();
  #sentAtMs = -Infinity;

  /** A frame of the bot's voice went out. */
  sent(levelDbfs: number, atMs: number): void {
    if (atMs - this.#sentAtMs > PATH_LIFE_MS) {
      for (const hearing of this.#hearings.values()) hearing.path = hearing.candidate = undefined;
    }
    this.#sentAtMs = atMs;
    this.#sent.add(levelDbfs, atMs);
  }

  /** Takes each frame that is heard of a speaker, voiced or not. `true`: it is the bot's own voice that came back. */
  isEcho(speakerId: string, levelDbfs: number, atMs: number): boolean {
    let hearing = this.#hearings.get(speakerId);
    if (!hearing) {
      hearing = { envelope: new Envelope(), candidate: undefined, path: undefined };
      this.#hearings.set(speakerId, hearing);
    }
    hearing.envelope.add(levelDbfs, atMs);
    if (atMs - this.#sentAtMs > (MAX_LAG + WINDOW) * FRAME_MS) return false;
    const slot = slotOf(atMs);
    if (hearing.path) return this.#explains(hearing.path, levelDbfs, slot);
    const found = this.#search(hearing.envelope, slot);
    if (!found) {
      hearing.candidate = undefined;
      return false;
    }
    const { candidate } = hearing;
    const agrees = candidate !== undefined && Math.abs(candidate.lag - found.lag) <= 1;
    hearing.candidate = { lag: found.lag, frames: agrees ? candidate.frames + 1 : 1 };
    if (hearing.candidate.frames >= STABLE_FRAMES) hearing.path = found;
    return this.#explains(found, levelDbfs, slot);
  }

  /** The speaker has left. */
  forget(speakerId: string): void {
    this.#hearings.delete(speakerId);
  }

  /** Whether the echo can be so loud in this frame; frames of both sides do not begin together, so neighbours count. */
  #explains({ lag, gainDb }: Path, levelDbfs: number, slot: number): boolean {
    let loudest = 0;
    for (let near = lag - 2; near <= lag + 2; near++) loudest = Math.max(loudest, this.#sent.at(slot - near));
    return levelDbfs <= ROOT * Math.log10(loudest) + gainDb + OVER_ECHO_DB;
  }

  /** The lag at which what is heard is most like what was sent, if it is an echo. */
  #search(heard: Envelope, slot: number): Path | undefined {
    const heardLevels = heard.before(slot, WINDOW);
    const sentLevels = this.#sent.before(slot, MAX_LAG + WINDOW);
    let heardSum = 0;
    let heardSquares = 0;
    for (const level of heardLevels) {
      heardSum += level;
      heardSquares += level * level;
    }
    const heardVariance = heardSquares - (heardSum * heardSum) / WINDOW;
    let best: { lag: number; alike: number; gain: number } | undefined;
    for (let lag = 0; lag <= MAX_LAG; lag++) {
      let sum = 0;
      let squares = 0;
      let products = 0;
      for (let back = 0; back < WINDOW; back++) {
        const level = sentLevels[back + lag]!;
        sum += level;
        squares += level * level;
        products += level * heardLevels[back]!;
      }
      const variance = squares - (sum * sum) / WINDOW;
      const covariance = products - (sum * heardSum) / WINDOW;
      if (!(variance > 0 && heardVariance > 0)) continue;
      const alike = covariance / Math.sqrt(variance * heardVariance);
      if (alike >= ALIKE && alike > (best?.alike ?? 0)) best = { lag, alike, gain: covariance / variance };
    }
    if (!best) return undefined;
    const gainDb = ROOT * Math.log10(best.gain);
    return gainDb <= -LEAST_LOSS_DB ? { lag: best.lag, gainDb } : undefined;
  }
}

function slotOf(atMs: number): number {
  return Math.round(atMs / FRAME_MS);
}

const FALL = 10 ** (-DECAY_DB / ROOT);
const SILENCE = 10 ** (FLOOR_DBFS / ROOT);

/** The loudness of one side over the last seconds, one value for each 20 ms; where nothing came it falls. */
class Envelope {
  readonly #levels = new Float64Array(SLOTS).fill(SILENCE);
  #last = -Infinity;

  add(levelDbfs: number, atMs: number): void {
    const slot = slotOf(atMs);
    const level = Math.max(SILENCE, 10 ** (levelDbfs / ROOT));
    if (slot <= this.#last) {
      // Jitter: two frames in one slot, or one that comes late.
      if (slot > this.#last - SLOTS) this.#levels[index(slot)] = Math.max(this.at(slot), level);
      return;
    }
    let falling = this.at(this.#last);
    for (let missing = Math.max(this.#last + 1, slot - SLOTS + 1); missing < slot; missing++) {
      falling = Math.max(SILENCE, falling * FALL);
      this.#levels[index(missing)] = falling;
    }
    this.#levels[index(slot)] = Math.max(level, falling * FALL);
    this.#last = slot;
  }

  /** What {@link at} says of so many slots, backwards from this one. */
  before(slot: number, count: number): Float64Array {
    const levels = new Float64Array(count);
    for (let back = 0; back < count; back++) levels[back] = this.at(slot - back);
    return levels;
  }

  /** Root of the amplitude in a slot. */
  at(slot: number): number {
    if (slot > this.#last)
      return this.#last === -Infinity ? SILENCE : this.at(this.#last) * FALL ** (slot - this.#last);
    return slot > this.#last - SLOTS ? (this.#levels[index(slot)] ?? SILENCE) : SILENCE;
  }
}

/** Slots may be negative: clocks have arbitrary origins. */
function index(slot: number): number {
  return ((slot % SLOTS) + SLOTS) % SLOTS;
}
