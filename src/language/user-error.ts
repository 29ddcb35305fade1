import type { CallEnding, FileTrouble, ModelTrouble, PermissionWord, UserErrorId, Words } from './words.ts';

/** What went wrong, as data: the edge that meets the person turns it into a sentence of their language. */
export type UserProblem =
  | { readonly type: 'plain'; readonly id: UserErrorId }
  | { readonly type: 'model'; readonly trouble: ModelTrouble }
  | { readonly type: 'file'; readonly trouble: FileTrouble; readonly fileName: string }
  | { readonly type: 'call'; readonly ending: CallEnding }
  | { readonly type: 'permissions'; readonly channelName: string; readonly missing: readonly PermissionWord[] };

/** An error that is meant for a person. Everything else reaches them as one neutral sentence. */
export class UserError extends Error {
  override readonly name = 'UserError';
  readonly problem: UserProblem;

  constructor(problem: UserProblem, options?: ErrorOptions) {
    super(`a person is told: ${problem.type}`, options);
    this.problem = problem;
  }
}

/** The sentence for any error: its own when it is a {@link UserError}, a neutral one otherwise. */
export function sentenceFor(error: unknown, words: Words): string {
  if (!(error instanceof UserError)) return words.errors.unexpected;
  const { problem } = error;
  switch (problem.type) {
    case 'plain':
      return words.errors[problem.id];
    case 'model':
      return words.modelErrors[problem.trouble];
    case 'file':
      return words.fileErrors[problem.trouble](problem.fileName);
    case 'call':
      return words.call.gone[problem.ending];
    case 'permissions':
      return words.missingPermissions(
        problem.channelName,
        problem.missing.map((permission) => words.permissions[permission]),
      );
  }
}
