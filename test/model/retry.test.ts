import { describe, expect, test } from 'vitest';

import {
  AudioNotFoundError,
  ModelBusyError,
  TruncatedReplyError,
  WrongKeyError,
  type ModelError,
} from '../../src/model/errors.ts';
import { withOneRetry } from '../../src/model/retry.ts';
import { ManualClock } from '../support/manual-clock.ts';

const HINT = { operatorHint: '' };

/** Attempts that yield, then fail; the attempts made are counted by what they were given. */
function attempts(...script: { yields: string[]; fails?: unknown }[]) {
  const given: (ModelError | undefined)[] = [];
  async function* attempt(previous: ModelError | undefined) {
    const step = script[given.length];
    given.push(previous);
    if (step === undefined) throw new Error('one attempt too many');
    yield* step.yields;
    if (step.fails !== undefined) throw step.fails;
  }
  return { given, attempt };
}

async function run(attempt: (previous: ModelError | undefined) => AsyncIterable<string>, clock = new ManualClock()) {
  const events: string[] = [];
  const controller = new AbortController();
  const ended = (async () => {
    for await (const event of withOneRetry(attempt, clock, controller.signal)) events.push(event);
  })();
  ended.catch(() => {});
  return { events, ended, clock, controller };
}

/** Lets the attempts go on until the policy waits on its clock. */
async function untilWaiting(clock: ManualClock): Promise<number> {
  while (clock.pending.length === 0) await new Promise((resolve) => setImmediate(resolve));
  return clock.pending[0] ?? Number.NaN;
}

describe('one retry', () => {
  test('a second attempt after what may pass gives one clean stream', async () => {
    const busy = new ModelBusyError({ ...HINT, retryAfterMs: 700 });
    const { given, attempt } = attempts({ yields: [], fails: busy }, { yields: ['a', 'b'] });
    const { events, ended, clock } = await run(attempt);
    expect(await untilWaiting(clock)).toBe(700);
    clock.advance(700);
    await ended;
    expect(events).toEqual(['a', 'b']);
    expect(given).toEqual([undefined, busy]);
  });

  test('not a third', async () => {
    const fails = new ModelBusyError({ ...HINT, retryAfterMs: 1 });
    const { given, attempt } = attempts({ yields: [], fails }, { yields: [], fails });
    const { ended, clock } = await run(attempt);
    await untilWaiting(clock);
    clock.advance(1);
    await expect(ended).rejects.toBeInstanceOf(ModelBusyError);
    expect(given).toHaveLength(2);
  });

  test.each([
    ['what cannot succeed', [], new WrongKeyError(HINT)],
    ['a wait longer than 2 s', [], new ModelBusyError({ ...HINT, retryAfterMs: 86_400_000 })],
    ['an account without money', [], new ModelBusyError({ ...HINT, code: 'insufficient_quota', retryAfterMs: 1 })],
    ['anything after the first word', ['a'], new TruncatedReplyError(HINT)],
    ['a fault in our own code', [], new TypeError('bug')],
  ])('none after %s', async (_, yields, fails) => {
    const { given, attempt } = attempts({ yields, fails });
    const { ended, events, clock } = await run(attempt);
    await expect(ended).rejects.toBe(fails);
    expect(events).toEqual(yields);
    expect(given).toHaveLength(1);
    expect(clock.pending).toEqual([]);
  });

  test('an earlier reply that the server forgot is retried without a wait', async () => {
    const { attempt } = attempts({ yields: [], fails: new AudioNotFoundError(HINT) }, { yields: ['a'] });
    const { ended, events } = await run(attempt);
    await ended;
    expect(events).toEqual(['a']);
  });

  test('an abort ends the wait with its reason', async () => {
    const { given, attempt } = attempts({ yields: [], fails: new ModelBusyError({ ...HINT, retryAfterMs: 2_000 }) });
    const { ended, clock, controller } = await run(attempt);
    await untilWaiting(clock);
    const reason = new Error('left');
    controller.abort(reason);
    await expect(ended).rejects.toBe(reason);
    expect(given).toHaveLength(1);
  });
});
