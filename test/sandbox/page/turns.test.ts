import { expect, test } from 'vitest';

import type { SandboxEvent } from '../../../src/sandbox/control/protocol.ts';
import { figuresOf, stateOf, TurnLog } from '../../../src/sandbox/page/client/turns.ts';

function logOf(events: readonly SandboxEvent[]): TurnLog {
  const log = new TurnLog();
  for (const event of events) log.take(event);
  return log;
}

const speaking = (personId: string, from: number, to: number): SandboxEvent[] => [
  { type: 'person-speaking', atMs: from, personId, speaking: true },
  // Five silence frames of 20 ms come after the last voice.
  { type: 'person-speaking', atMs: to + 100, personId, speaking: false, lastVoiceAtMs: to },
];
const request = (requestId: string, atMs: number): SandboxEvent => ({
  type: 'model-request',
  atMs,
  requestId,
  endpoint: 'chat',
});
const firstAudio = (requestId: string, atMs: number): SandboxEvent => ({ type: 'model-first-audio', atMs, requestId });
const ended = (requestId: string, atMs: number, abandoned = false): SandboxEvent => ({
  type: 'model-ended',
  atMs,
  requestId,
  abandoned,
});
const bot = (speaks: boolean, atMs: number): SandboxEvent => ({
  type: 'bot-speaking',
  atMs,
  guildId: 'guild',
  speaking: speaks,
  // So do they after the bot's.
  ...(speaks ? {} : { lastVoiceAtMs: atMs - 100 }),
});

test('a turn heard whole has all its figures', () => {
  const log = logOf([
    ...speaking('alice', 1000, 2000),
    request('one', 2500),
    firstAudio('one', 2800),
    bot(true, 2810),
    ended('one', 3000),
    bot(false, 4910),
  ]);
  const [turn] = log.turns;
  expect(turn && figuresOf(turn)).toEqual({ endOfTurn: 500, firstAudio: 300, bot: 10, total: 810, played: 2000 });
  expect(turn && stateOf(turn)).toBe('heard');
});

test('a reply that is spoken over is cut, and says by whom', () => {
  const log = logOf([
    ...speaking('alice', 1000, 2000),
    request('one', 2500),
    firstAudio('one', 2800),
    bot(true, 2810),
    { type: 'person-speaking', atMs: 3500, personId: 'bob', speaking: true },
    ended('one', 3800, true),
    bot(false, 3900),
  ]);
  const [turn] = log.turns;
  expect(turn && stateOf(turn)).toBe('cut');
  expect(turn?.over.map(({ userId }) => userId)).toEqual(['bob']);
});

test('a request that was given up because somebody went on is part of the turn that was asked again', () => {
  const log = logOf([
    ...speaking('alice', 1000, 2000),
    request('one', 2500),
    firstAudio('one', 2550),
    ended('one', 2600, true),
    ...speaking('alice', 2600, 3000),
    request('two', 3500),
  ]);
  expect(log.turns.map(stateOf)).toEqual(['asking']);
  expect(log.turns[0]).toMatchObject({ id: 'two', dropped: [{ fromMs: 2500, toMs: 2600 }] });
  expect(log.turns[0]?.speech).toHaveLength(2);
});

test('so it is when its end is seen only after the next one has begun, and when somebody is asked for who still speaks', () => {
  const log = logOf([
    { type: 'person-speaking', atMs: 1000, personId: 'alice', speaking: true },
    request('one', 2200),
    request('two', 3500),
    ended('one', 3510, true),
    { type: 'person-speaking', atMs: 3600, personId: 'alice', speaking: false, lastVoiceAtMs: 3300 },
    firstAudio('two', 3700),
    bot(true, 3900),
  ]);
  expect(log.turns).toHaveLength(1);
  const [turn] = log.turns;
  expect(turn).toMatchObject({ id: 'two', dropped: [{ fromMs: 2200, toMs: 3510 }] });
  expect(turn && figuresOf(turn)).toEqual({ endOfTurn: 200, firstAudio: 200, bot: 200, total: 600 });
});

test('what was asked in writing and is answered aloud is not taken for the turn before it', () => {
  const log = logOf([
    ...speaking('alice', 1000, 2000),
    request('one', 2500),
    firstAudio('one', 2800),
    bot(true, 2810),
    ended('one', 3000),
    bot(false, 4910),
    request('two', 9000),
    firstAudio('two', 9300),
    bot(true, 9310),
    bot(false, 9900),
  ]);
  expect(log.turns.map((turn) => figuresOf(turn).played)).toEqual([2000, 490]);
});

test('with a model of one’s own, a turn is what is heard of it', () => {
  const log = logOf([
    ...speaking('alice', 1000, 2000),
    bot(true, 2900),
    bot(false, 4900),
    ...speaking('bob', 6000, 7000),
    bot(true, 8000),
  ]);
  expect(log.turns.map(({ endpoint }) => endpoint)).toEqual(['unseen', 'unseen']);
  expect(log.turns.map((turn) => figuresOf(turn).total)).toEqual([900, 1000]);
  expect(log.turns.map(stateOf)).toEqual(['heard', 'speaking']);
});

test('200 turns leave no more than the newest behind', () => {
  const log = new TurnLog();
  for (let turn = 0; turn < 200; turn++) {
    const at = turn * 18_000;
    for (const event of [
      ...speaking('alice', at, at + 1000),
      request(`r${turn}`, at + 1500),
      firstAudio(`r${turn}`, at + 1800),
      bot(true, at + 1810),
      ended(`r${turn}`, at + 2000),
      bot(false, at + 4000),
    ]) {
      log.take(event);
    }
  }
  expect(log.turns).toHaveLength(60);
  expect(log.turns.at(-1)).toMatchObject({ number: 200, speech: [{ userId: 'alice' }] });
});
