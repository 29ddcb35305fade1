/** What was asked of the sandbox cannot be done. The message is a sentence for whoever asked. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}
