import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { conversationOf } from '../../src/conversation/history.ts';
import { Summarizer } from '../../src/conversation/summarizer.ts';
import type { Conversation, Message, Model, ReplyEvent } from '../../src/model/model.ts';
import type { SqlStore } from '../../src/store/sql-store.ts';
import { open } from '../store/support/stores.ts';
import { ending, hold, incoming, T0, utterance } from '../store/support/turns.ts';
import { silentLog } from '../support/silent-log.ts';

const TOKEN_BUDGET = 400;
const CHARACTERS_PER_TOKEN = 4;
const RULES = { botName: 'Parley', tokenBudget: TOKEN_BUDGET, hasOptedOut: () => false, remindToSpeak: false };
const { signal } = new AbortController();

/** Sums up in the same few words, and keeps what it was given. */
class ShortModel implements Model {
  readonly asked: string[] = [];
  finish: 'stop' | 'filtered' | 'length' = 'stop';
  onAsked: () => Promise<unknown> = () => Promise.resolve();

  async *respond({ messages }: Conversation): AsyncGenerator<ReplyEvent, void, undefined> {
    this.asked.push(...messages.map(wordsOf));
    await this.onAsked();
    yield { type: 'text', delta: `They spoke of it, for the ${this.asked.length}. time.` };
    yield { type: 'done', finish: this.finish, audio: undefined, usage: undefined };
  }

  async *transcribe(): ReturnType<Model['transcribe']> {}
}

function wordsOf(message: Message): string {
  if (message.role === 'assistant') return message.text;
  return message.parts.map((part) => (part.type === 'text' ? part.text : '')).join('\n');
}

let store: SqlStore;
beforeAll(async () => {
  store = await open({ kind: 'sqlite', file: ':memory:' });
});
afterAll(() => store[Symbol.asyncDispose]());

function summarizerWith(model: Model): Summarizer {
  return new Summarizer({ store, model, tokenBudget: TOKEN_BUDGET, log: silentLog });
}

let channels = 0;
const nextChannel = (): string => `channel-${++channels}`;

/** What the model is sent for this turn, each message as its bytes. */
async function requestOf(conversationId: string, said: string): Promise<{ summary: string; messages: string[] }> {
  const past = await store.conversations.load(conversationId, 200);
  const { messages } = conversationOf(past, [utterance({ text: said })], RULES);
  return { summary: past.summary?.text ?? '', messages: messages.map((message) => JSON.stringify(message)) };
}

async function answer(conversationId: string, number: number, said: string, answered: string): Promise<void> {
  const turn = incoming(`${conversationId}:${number}`, { conversationId, utterances: [utterance({ text: said })] });
  const audio = { id: `audio_${number}`, expiresAtMs: T0 + 3_600_000 };
  await hold(store, turn, ending({ reply: { text: answered, audio } }));
}

test('between two summaries requests only grow at their end; a summary is a large step and seldom', async () => {
  const words = fc.string({ minLength: 1, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ said: words, answered: words }), { minLength: 30, maxLength: 60 }),
      async (turns) => {
        const summarizer = summarizerWith(new ShortModel());
        const conversationId = nextChannel();
        let before: Awaited<ReturnType<typeof requestOf>> | undefined;
        let sinceSummary = 0;
        for (const [number, { said, answered }] of turns.entries()) {
          const request = await requestOf(conversationId, said);
          const tokens = request.messages.join('').length / CHARACTERS_PER_TOKEN;
          if (before?.summary === request.summary) {
            // The reply before goes by its id once, and by its words from then on.
            const stable = before.messages.slice(0, -2);
            expect(request.messages.slice(0, stable.length)).toEqual(stable);
            expect(request.messages.length).toBe(before.messages.length + 2);
            sinceSummary++;
          } else if (before) {
            expect(sinceSummary, 'turns since the summary before').toBeGreaterThanOrEqual(3);
            expect(request.messages.length).toBeLessThan(before.messages.length);
            sinceSummary = 0;
          }
          before = request;
          await answer(conversationId, number, said, answered);
          if (tokens > TOKEN_BUDGET) await summarizer.sumUp(conversationId, signal);
        }
      },
    ),
    { numRuns: 8 },
  );
});

test('what is summed up is the oldest part with the summary before it; the newest turns stay', async () => {
  const model = new ShortModel();
  const summarizer = summarizerWith(model);
  const conversationId = nextChannel();
  for (let number = 0; number < 20; number++) await answer(conversationId, number, `said ${number}`, `yes ${number}`);
  await summarizer.sumUp(conversationId, signal);
  const first = await store.conversations.load(conversationId, 200);
  const kept = first.turns.length;
  expect(kept).toBeGreaterThanOrEqual(4);
  expect(kept).toBeLessThanOrEqual(8);
  expect(first.turns.at(-1)?.utterances[0]?.text).toBe('said 19');
  expect(model.asked[0]).toContain('Ada: said 0\nYou: yes 0');
  expect(model.asked[0]).not.toContain(`said ${20 - kept}`);
  expect((await requestOf(conversationId, 'x')).messages[0]).toContain('for the 1. time');

  for (let number = 20; number < 40; number++) await answer(conversationId, number, `said ${number}`, `yes ${number}`);
  await summarizer.sumUp(conversationId, signal);
  expect(model.asked[1]).toMatch(/^They spoke of it, for the 1. time.\nAda: said /);
});

test('a summary that somebody asked to forget, or that was cut by the filter or its length, is not kept', async () => {
  const model = new ShortModel();
  const conversationId = nextChannel();
  for (let number = 0; number < 20; number++) await answer(conversationId, number, `said ${number}`, `yes ${number}`);
  for (const finish of ['filtered', 'length'] as const) {
    model.finish = finish;
    await summarizerWith(model).sumUp(conversationId, signal);
    expect(await store.conversations.load(conversationId, 200)).toMatchObject({ summary: undefined });
  }
  model.finish = 'stop';
  model.onAsked = () => store.privacy.forgetPerson('ada', 'guild-1');
  await summarizerWith(model).sumUp(conversationId, signal);
  expect(model.asked).toHaveLength(3);
  expect(await store.conversations.load(conversationId, 200)).toMatchObject({ summary: undefined, turns: [] });
});
