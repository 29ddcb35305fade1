import { UserError } from '../language/user-error.ts';
import type { Speech } from '../model/model.ts';
import type { Clock } from '../time/clock.ts';
import { AttachmentError } from './attachment-error.ts';
import { decodeAttachment } from './decode.ts';
import { fetchAttachment, type AttachmentHost } from './fetch.ts';

/** The largest file that is fetched: what the model's API takes. */
const MAX_FILE_BYTES = 20 * 1024 * 1024;

/** An attached file as Discord describes it. None of it is to be trusted but the address, and that is checked. */
export interface Attached {
  readonly url: string;
  readonly name: string;
}

/** Turns attached sound files into speech for the model. */
export class AttachedSpeech {
  readonly #hosts: readonly AttachmentHost[];
  readonly #clock: Clock;

  constructor({ hosts, clock }: { hosts: readonly AttachmentHost[]; clock: Clock }) {
    this.#hosts = hosts;
    this.#clock = clock;
  }

  /** @throws {UserError} that names the file and what is wrong with it. */
  async speechOf({ url, name }: Attached, signal: AbortSignal): Promise<Speech> {
    const clock = this.#clock;
    try {
      const bytes = await fetchAttachment(url, { hosts: this.#hosts, maxBytes: MAX_FILE_BYTES, signal, clock });
      return (await decodeAttachment(bytes, { clock, signal })).speech;
    } catch (error) {
      if (!(error instanceof AttachmentError)) throw error;
      throw new UserError({ type: 'file', trouble: error.kind, fileName: name }, { cause: error });
    }
  }
}
