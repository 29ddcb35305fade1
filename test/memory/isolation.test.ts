import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { Memory } from '../../src/conversation/memory.ts';
import type { RememberedTurn } from '../../src/conversation/remembered-turn.ts';
import type { Conversation, Model } from '../../src/model/model.ts';
import type { StoreLocation } from '../../src/store/open-store.ts';
import type { SqlStore } from '../../src/store/sql-store.ts';
import { monotonicClock } from '../../src/time/clock.ts';
import { DIALECTS, open, startDatabases, type TestDatabases } from '../store/support/stores.ts';
import { silentLog } from '../support/silent-log.ts';

const CHANNELS = [0, 1, 2] as const;
/** Channels 0 and 1 are on one server, channel 2 on another. */
const guildOf = (channel: number): number => (channel < 2 ? 0 : 1);

const channel = fc.constantFrom(...CHANNELS);
const person = fc.integer({ min: 0, max: 1 });
const guild = fc.integer({ min: 0, max: 1 });
const events = fc.array(
  fc.oneof(
    // Somebody says something and is answered, or is not yet when what comes next happens.
    {
      weight: 8,
      arbitrary: fc.record({ type: fc.constant('turn' as const), channel, person, answered: fc.boolean() }),
    },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('forget-channel' as const), channel }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('forget-person' as const), person, guild }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('forget-guild' as const), guild }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('restart' as const) }) },
  ),
  { minLength: 6, maxLength: 25, size: 'max' },
);

/** What the next request in a channel must hold, written down as plainly as can be. */
interface Kept {
  readonly id: number;
  readonly channel: number;
  readonly person: number;
  readonly said: string;
  /** `undefined`: it is still to be answered. */
  reply: string | undefined;
  open: RememberedTurn | undefined;
}

const SILENT_MODEL: Model = { async *respond() {}, async *transcribe() {} };

/** A process with a memory. */
class Process implements AsyncDisposable {
  readonly store: SqlStore;
  readonly memory: Memory;

  constructor(store: SqlStore) {
    this.store = store;
    this.memory = new Memory({
      store,
      model: SILENT_MODEL,
      botName: 'Parley',
      tokenBudget: 16_000,
      hasOptedOut: () => false,
      clock: monotonicClock,
      log: silentLog,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.memory[Symbol.asyncDispose]();
    await this.store[Symbol.asyncDispose]();
  }
}

function wordsOf({ messages }: Conversation): string[] {
  return messages.map((message) =>
    message.role === 'assistant'
      ? message.text
      : message.parts.map((part) => (part.type === 'text' ? part.text : '(sound)')).join(' '),
  );
}

let databases: TestDatabases;
beforeAll(async () => {
  databases = await startDatabases();
});
afterAll(() => databases[Symbol.asyncDispose]());

test.each(DIALECTS)(
  'on %s a request holds what was said in its own channel and is not forgotten, and nothing else',
  { timeout: 120_000 },
  async (dialect) => {
    const location: StoreLocation = await databases.fresh(dialect);
    let running = new Process(await open(location));
    let run = 0;
    let turns = 0;
    await fc.assert(
      fc.asyncProperty(events, async (happened) => {
        const name = `run-${++run}`;
        let kept: Kept[] = [];

        /** Begins a turn, and looks at its request. */
        const begin = async (channel: number, person: number): Promise<Kept> => {
          const id = ++turns;
          const said = `said ${id} in ${name} channel ${channel}`;
          const turn = await running.memory.begin({
            id: `turn:${id}`,
            conversationId: `${name}-channel-${channel}`,
            guildId: `${name}-guild-${guildOf(channel)}`,
            atMs: Date.now(),
            utterances: [
              {
                speakerId: `${name}-person-${person}`,
                speakerName: `Person ${person}`,
                offsetMs: 0,
                text: said,
                transcript: undefined,
                speech: undefined,
              },
            ],
          });
          if (!turn) throw new Error('it is a duplicate');
          // A turn that is open is in no request: it is being answered.
          const past = kept.filter((one) => one.channel === channel && one.open === undefined);
          expect(wordsOf(await turn.conversation('text'))).toEqual([
            ...past.flatMap((one) => [`Person ${one.person}: ${one.said}`, ...(one.reply ? [one.reply] : [])]),
            `Person ${person}: ${said}`,
          ]);
          return { id, channel, person, said, reply: undefined, open: turn };
        };
        const end = async (one: Kept): Promise<void> => {
          const reply = `reply to ${one.said}`;
          await one.open?.end({
            state: 'done',
            reply: { text: reply, audio: undefined },
            usage: undefined,
            failure: undefined,
          });
          kept = [...kept.filter((other) => other !== one), { ...one, reply, open: undefined }];
        };

        for (const event of happened) {
          switch (event.type) {
            case 'turn': {
              const one = await begin(event.channel, event.person);
              kept = [...kept, one];
              if (event.answered) for (const waiting of kept.filter((other) => other.open)) await end(waiting);
              break;
            }
            case 'forget-channel':
              await running.store.privacy.forgetConversation(`${name}-channel-${event.channel}`);
              kept = kept.filter((one) => one.channel !== event.channel);
              break;
            case 'forget-person':
              await running.store.privacy.forgetPerson(
                `${name}-person-${event.person}`,
                `${name}-guild-${event.guild}`,
              );
              kept = kept.filter((one) => one.person !== event.person || guildOf(one.channel) !== event.guild);
              break;
            case 'forget-guild':
              await running.store.privacy.forgetGuild(`${name}-guild-${event.guild}`);
              kept = kept.filter((one) => guildOf(one.channel) !== event.guild);
              break;
            case 'restart': {
              await running[Symbol.asyncDispose]();
              running = new Process(await open(location));
              await running.store.turns.takeOver();
              // What was open is cut off, in the order in which it came.
              const cutOff = kept.filter((one) => one.open);
              kept = [...kept.filter((one) => !one.open), ...cutOff.map((one) => ({ ...one, open: undefined }))];
              break;
            }
          }
        }
        for (const channel of CHANNELS) await begin(channel, 0);
      }),
      { numRuns: 12 },
    );
    await running[Symbol.asyncDispose]();
  },
);
