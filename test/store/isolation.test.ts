import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';

import type { StoreLocation } from '../../src/store/open-store.ts';
import type { SqlStore } from '../../src/store/sql-store.ts';
import { DIALECTS, open, startDatabases, type TestDatabases } from './support/stores.ts';
import { ending, incoming, utterance } from './support/turns.ts';

/** What can happen. Channels 0 and 1 are on server 0, channels 2 and 3 on server 1. */
type Event =
  | { readonly type: 'begin'; readonly channel: number; readonly people: readonly number[] }
  | { readonly type: 'end'; readonly channel: number }
  | { readonly type: 'forget-channel'; readonly channel: number }
  | { readonly type: 'forget-person'; readonly person: number; readonly guild: number | undefined }
  | { readonly type: 'forget-guild'; readonly guild: number }
  | { readonly type: 'restart' };

const channel = fc.integer({ min: 0, max: 3 });
const person = fc.integer({ min: 0, max: 2 });
const guild = fc.integer({ min: 0, max: 1 });
const events = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        type: fc.constant('begin' as const),
        channel,
        people: fc.uniqueArray(person, { minLength: 1, maxLength: 3 }),
      }),
    },
    { weight: 8, arbitrary: fc.record({ type: fc.constant('end' as const), channel }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('forget-channel' as const), channel }) },
    {
      weight: 2,
      arbitrary: fc.record({
        type: fc.constant('forget-person' as const),
        person,
        guild: fc.option(guild, { nil: undefined }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('forget-guild' as const), guild }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('restart' as const) }) },
  ),
  { minLength: 5, maxLength: 30, size: 'max' },
);

interface Turn {
  readonly id: string;
  readonly channel: number;
  readonly people: readonly number[];
  readonly state: 'open' | 'done' | 'interrupted';
  readonly hasReply: boolean;
}

const guildOf = (channel: number): number => Math.floor(channel / 2);
const words = (turn: Turn, person: number): string => `person ${person} in channel ${turn.channel}, ${turn.id}`;

/** What must be kept after an event, written down as plainly as can be. */
function after(turns: readonly Turn[], event: Event): readonly Turn[] {
  switch (event.type) {
    case 'begin':
      return turns;
    case 'end': {
      const first = turns.find((turn) => turn.channel === event.channel && turn.state === 'open');
      if (!first) return turns;
      return [...turns.filter((turn) => turn !== first), { ...first, state: 'done', hasReply: true }];
    }
    case 'forget-channel':
      return turns.filter((turn) => turn.channel !== event.channel);
    case 'forget-guild':
      return turns.filter((turn) => guildOf(turn.channel) !== event.guild);
    case 'forget-person':
      return turns.flatMap((turn) => {
        const isMeant = event.guild === undefined || event.guild === guildOf(turn.channel);
        if (!isMeant || !turn.people.includes(event.person)) return [turn];
        const people = turn.people.filter((person) => person !== event.person);
        return people.length === 0 || turn.state === 'open' ? [] : [{ ...turn, people, hasReply: false }];
      });
    case 'restart': {
      const ended = turns.filter((turn) => turn.state !== 'open');
      const open = turns.filter((turn) => turn.state === 'open');
      return [...ended, ...open.map((turn) => ({ ...turn, state: 'interrupted' as const }))];
    }
  }
}

let databases: TestDatabases;
beforeAll(async () => {
  databases = await startDatabases();
});
afterAll(() => databases[Symbol.asyncDispose]());

test.each(DIALECTS)(
  'whatever happens in which order on %s, a channel holds its own turns and no others',
  { timeout: 240_000 },
  async (dialect) => {
    const location: StoreLocation = await databases.fresh(dialect);
    let store: SqlStore = await open(location);
    let run = 0;
    let begun = 0;
    await fc.assert(
      fc.asyncProperty(events, async (events) => {
        const name = `run-${++run}`;
        const channelId = (channel: number): string => `${name}-channel-${channel}`;
        const guildId = (guild: number): string => `${name}-guild-${guild}`;
        const personId = (person: number): string => `${name}-person-${person}`;
        let turns: readonly Turn[] = [];
        for (const event of events) {
          switch (event.type) {
            case 'begin': {
              const { channel, people } = event;
              const turn: Turn = { id: `turn-${++begun}`, channel, people, state: 'open', hasReply: false };
              const utterances = people.map((person) =>
                utterance({ speakerId: personId(person), speakerName: `${person}`, text: words(turn, person) }),
              );
              const where = { conversationId: channelId(channel), guildId: guildId(guildOf(channel)) };
              await store.turns.receive(incoming(turn.id, { ...where, utterances, atMs: begun }));
              turns = [...turns, turn];
              break;
            }
            case 'end': {
              const first = turns.find((turn) => turn.channel === event.channel && turn.state === 'open');
              const reply = { text: `reply in channel ${event.channel}`, audio: undefined };
              if (first) expect(await store.turns.finish(first.id, ending({ reply, atMs: begun }))).toBe('changed');
              break;
            }
            case 'forget-channel':
              await store.privacy.forgetConversation(channelId(event.channel));
              break;
            case 'forget-guild':
              await store.privacy.forgetGuild(guildId(event.guild));
              break;
            case 'forget-person':
              await store.privacy.forgetPerson(
                personId(event.person),
                event.guild === undefined ? undefined : guildId(event.guild),
              );
              break;
            case 'restart':
              await store[Symbol.asyncDispose]();
              store = await open(location);
              await store.turns.takeOver();
              break;
          }
          turns = after(turns, event);
        }
        for (const channel of [0, 1, 2, 3]) {
          const expected = turns.filter((turn) => turn.channel === channel && turn.state !== 'open');
          const past = await store.conversations.load(channelId(channel), 100);
          expect(
            past.turns.map((turn) => ({
              id: turn.id,
              state: turn.state,
              said: turn.utterances.map(({ text }) => text),
              reply: turn.reply?.text,
            })),
          ).toEqual(
            expected.map((turn) => ({
              id: turn.id,
              state: turn.state,
              said: turn.people.map((person) => words(turn, person)),
              reply: turn.hasReply ? `reply in channel ${channel}` : undefined,
            })),
          );
        }
      }),
      { numRuns: 15, endOnFailure: true },
    );
    await store[Symbol.asyncDispose]();
  },
);
