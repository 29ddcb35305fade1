import { UserError } from '../language/user-error.ts';
import type { Speech } from '../model/model.ts';
import type { Clock } from '../time/clock.ts';
import { AttachmentError } from './attachment-error.ts';
import { decodeAttachment } from './decode.ts';
import { fetchAttachment, type AttachmentHost } from './fetch.ts';
import { Slots } from './slots.ts';

/** A file that somebody attached. What Discord says of its size and type is not used. */
export interface AttachedFile {
  readonly url: string;
  /** As the person called it: untrusted text. */
  readonly name: string;
}

export interface AttachmentsOptions {
  readonly hosts: readonly AttachmentHost[];
  readonly clock: Clock;
  /** Default 20,000,000. */
  readonly maxBytes?: number;
}

const MAX_BYTES = 20_000_000;

/** Each may take 20 MB and a core; the voices on the air come first. */
const AT_ONCE = 2;
const MAX_WAITING = 8;

/** Takes attached files from Discord to what the model can hear. */
export class Attachments {
  readonly #options: AttachmentsOptions;
  readonly #slots = new Slots(AT_ONCE, MAX_WAITING);

  constructor(options: AttachmentsOptions) {
    this.#options = options;
  }

  /**
   * Fetches a file and makes it fit for the model.
   * @throws {UserError} that names what is wrong with the file; the signal's reason when it aborts.
   */
  async speechOf(file: AttachedFile, signal: AbortSignal): Promise<Speech> {
    using slot = await this.#slots.take(signal);
    if (!slot) throw new UserError({ type: 'plain', id: 'busy' });
    const { hosts, clock, maxBytes = MAX_BYTES } = this.#options;
    try {
      const bytes = await fetchAttachment(file.url, { hosts, maxBytes, signal, clock });
      const { speech } = await decodeAttachment(bytes, { clock, signal });
      return speech;
    } catch (cause) {
      if (!(cause instanceof AttachmentError)) throw cause;
      throw new UserError({ type: 'file', trouble: cause.kind, fileName: file.name }, { cause });
    }
  }
}
