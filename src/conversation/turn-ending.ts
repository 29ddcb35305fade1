import { ModelError } from '../model/errors.ts';
import type { TurnEnding } from './remembered-turn.ts';
import type { ReplyOutcome } from './spoken-reply.ts';

/** How a spoken turn goes into the memory. */
export function endingOf(outcome: ReplyOutcome, isCut: boolean): TurnEnding {
  const { reached, text, audio, usage, failure, finish } = outcome;
  const reply = reached === 'nothing' ? undefined : { text, audio };
  if (failure !== undefined) {
    return { state: 'failed', reply, usage, failure: failure instanceof ModelError ? failure.kind : 'unexpected' };
  }
  if (isCut) return { state: 'interrupted', reply, usage, failure: undefined };
  return { state: 'done', reply, usage, failure: finish === 'filtered' ? 'filtered-reply' : undefined };
}
