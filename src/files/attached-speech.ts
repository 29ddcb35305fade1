import { UserError } from '../language/user-error.ts';
import type { Speech } from '../model/model.ts';
import type { Clock } from '../time/clock.ts';
import { AttachmentError } from './attachment-error.ts';
import { decodeAttachment } from './decode.ts';
import { fetchAttachment, type AttachmentHost } from './fetch.ts';
import { Slots } from './slots.ts';

/** The largest file that is fetched: what the model's API takes. */
const MAX_FILE_BYTES = 20 * 1024 * 1024;

/** Each may take that much memory and a core for seconds; the voices on the air come first. */
const FILES_AT_ONCE = 2;
const MAX_WAITING = 8;

/** An attached file as Discord describes it. None of it is to be trusted but the address, and that is checked. */
export interface Attached {
  readonly url: string;
  readonly name: string;
  /** Bytes, as claimed. */
  readonly size?: number;
}

interface AttachedSpeechParts {
  readonly hosts: readonly AttachmentHost[];
  readonly clock: Clock;
  /** The program that decodes what we cannot: its name or path. */
  readonly ffmpeg: string;
}

/** Turns attached sound files into speech for the model. */
export class AttachedSpeech {
  readonly #hosts: readonly AttachmentHost[];
  readonly #clock: Clock;
  readonly #ffmpeg: string;
  readonly #slots = new Slots(FILES_AT_ONCE, MAX_WAITING);

  constructor({ hosts, clock, ffmpeg }: AttachedSpeechParts) {
    this.#hosts = hosts;
    this.#clock = clock;
    this.#ffmpeg = ffmpeg;
  }

  /** @throws {UserError} that names the file and what is wrong with it, or says that too many are waiting. */
  async speechOf({ url, name, size = 0 }: Attached, signal: AbortSignal): Promise<Speech> {
    if (size > MAX_FILE_BYTES) throw new UserError({ type: 'file', trouble: 'too-large', fileName: name });
    const clock = this.#clock;
    using slot = await this.#slots.take(signal);
    if (!slot) throw new UserError({ type: 'plain', id: 'busy' });
    try {
      const bytes = await fetchAttachment(url, { hosts: this.#hosts, maxBytes: MAX_FILE_BYTES, signal, clock });
      return (await decodeAttachment(bytes, { clock, signal, ffmpeg: this.#ffmpeg })).speech;
    } catch (error) {
      if (!(error instanceof AttachmentError)) throw error;
      throw new UserError({ type: 'file', trouble: error.kind, fileName: name }, { cause: error });
    }
  }
}
