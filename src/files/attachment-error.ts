import type { FileTrouble } from '../language/words.ts';

/** An attached file that cannot be used. `kind` says what a person should be told. */
export class AttachmentError extends Error {
  override readonly name = 'AttachmentError';
  readonly kind: FileTrouble;

  constructor(kind: FileTrouble, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
