import { ModelError } from '../model/errors.ts';
import type { TurnEnding } from './remembered-turn.ts';
import type { ReplyOutcome } from './spoken-reply.ts';

/**
 * How an answer was cut. `resumed`: before anybody heard of it, because those who spoke went on, and all they said is in the
 * next turn.
 */
export type Cut = 'resumed' | 'interrupted' | undefined;

/** How a spoken turn goes into the memory. */
export function endingOf(outcome: ReplyOutcome, cut: Cut): TurnEnding {
  const { reached, text, audio, usage, failure, finish } = outcome;
  if (cut === 'resumed') return { state: 'interrupted', reply: undefined, usage, failure: 'continued' };
  const reply = reached === 'nothing' ? undefined : { text, audio };
  if (failure !== undefined) {
    return { state: 'failed', reply, usage, failure: failure instanceof ModelError ? failure.kind : 'unexpected' };
  }
  if (cut === 'interrupted') return { state: 'interrupted', reply, usage, failure: undefined };
  return { state: 'done', reply, usage, failure: finish === 'filtered' ? 'filtered-reply' : undefined };
}
