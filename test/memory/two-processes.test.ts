import { afterAll, beforeAll, expect, test } from 'vitest';

import { Chat } from '../../src/conversation/chat.ts';
import { Memory } from '../../src/conversation/memory.ts';
import type { Model } from '../../src/model/model.ts';
import { monotonicClock } from '../../src/time/clock.ts';
import { open, startDatabases, type TestDatabases } from '../store/support/stores.ts';
import { silentLog } from '../support/silent-log.ts';
import { askBothBots } from './support/two-bots.ts';

const EVENTS = 1000;
/** Questions that are asked at the same time; the channels they are asked in take turns. */
const AT_ONCE = 10;

let databases: TestDatabases;
beforeAll(async () => {
  databases = await startDatabases();
});
afterAll(() => databases[Symbol.asyncDispose]());

test(
  'the same thousand events delivered to two memories on one PostgreSQL are answered a thousand times',
  { timeout: 120_000 },
  async () => {
    const location = await databases.fresh('postgres');
    await using parts = new AsyncDisposableStack();
    let modelCalls = 0;
    const model: Model = {
      async *respond() {
        modelCalls++;
        yield { type: 'text', delta: 'Yes.' };
        yield { type: 'done', finish: 'stop', audio: undefined, usage: undefined };
      },
      async *transcribe() {},
    };
    const chats = await Promise.all(
      [1, 2].map(async () => {
        const store = parts.use(await open(location));
        const memory = parts.use(
          new Memory({
            store,
            model,
            botName: 'Parley',
            tokenBudget: 16_000,
            hasOptedOut: () => false,
            clock: monotonicClock,
            log: silentLog,
          }),
        );
        return { store, chat: new Chat({ model, memory, voiceOf: () => Promise.resolve('alloy'), log: silentLog }) };
      }),
    );
    const replies = Array.from({ length: EVENTS }, () => 0);
    const { signal } = new AbortController();
    await Promise.all(
      Array.from({ length: AT_ONCE }, async (_, lane) => {
        for (let event = lane; event < EVENTS; event += AT_ONCE) {
          const question = {
            turnId: `interaction:${event}`,
            shownIn: `channel-${lane}`,
            conversationId: `channel-${lane}`,
            guildId: 'guild',
            author: { id: 'alice', name: 'Alice' },
            prompt: `Question ${event}?`,
            speech: undefined,
            output: 'text',
          } as const;
          // Either may be the first, and by more than the database needs.
          const [first, second] = Math.random() < 0.5 ? chats : chats.toReversed();
          const show = (): Promise<void> => Promise.resolve(void (replies[event] = (replies[event] ?? 0) + 1));
          const early = first?.chat.ask(question, show, signal);
          if (Math.random() < 0.2) await early;
          await Promise.all([early, second?.chat.ask(question, show, signal)]);
        }
      }),
    );
    expect(replies.filter((count) => count !== 1)).toEqual([]);
    expect(modelCalls).toBe(EVENTS);
    const kept = await Promise.all(
      Array.from({ length: AT_ONCE }, async (_, lane) => chats[0]?.store.conversations.load(`channel-${lane}`, EVENTS)),
    );
    const turns = kept.flatMap((past) => past?.turns ?? []);
    expect(new Set(turns.map(({ id }) => id)).size).toBe(EVENTS);
    expect(turns.filter(({ state, reply }) => state !== 'done' || reply?.text !== 'Yes.')).toEqual([]);
  },
);

/** `npm run bench -- two-processes` does a thousand. */
const BOT_EVENTS = 12;

test('two bots in the same server on one PostgreSQL give every question one answer', { timeout: 120_000 }, async () => {
  const location = await databases.fresh('postgres');
  if (location.kind !== 'postgres') throw new TypeError('not a server');
  const { answers, calls, kept } = await askBothBots(location, BOT_EVENTS);
  expect({ answers: answers.length, calls, kept }).toEqual({
    answers: BOT_EVENTS,
    calls: BOT_EVENTS,
    kept: BOT_EVENTS,
  });
});
