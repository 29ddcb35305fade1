import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import type { StoreLocation } from '../../src/store/open-store.ts';
import type { SqlStore } from '../../src/store/sql-store.ts';
import type { ExportRecord } from '../../src/store/turn-store.ts';
import { DIALECTS, open, startDatabases, type TestDatabases } from './support/stores.ts';
import { ending, hold, idsOf, incoming, SPEECH, T0, utterance } from './support/turns.ts';

let databases: TestDatabases;
beforeAll(async () => {
  databases = await startDatabases();
});
afterAll(() => databases[Symbol.asyncDispose]());

describe.each(DIALECTS)('the store on %s', (dialect) => {
  let location: StoreLocation;
  let store: SqlStore;
  beforeAll(async () => {
    location = await databases.fresh(dialect);
    store = await open(location);
  });
  afterEach(async () => {
    for (const guild of [1, 2, 3, 7, 9]) await store.privacy.forgetGuild(`guild-${guild}`);
  });
  afterAll(() => store[Symbol.asyncDispose]());

  test('keeps a turn exactly, over a restart', async () => {
    const turn = incoming('call:1:1', {
      utterances: [
        utterance({ text: undefined, speech: SPEECH }),
        utterance({ speakerId: 'bo', speakerName: 'Bø\u0000\ud83d', offsetMs: 740, text: '\ud800 👩‍👩‍👧 \u0000 ‮' }),
      ],
    });
    const end = ending();
    expect(await store.turns.receive(turn)).toBe('received');
    expect(await idsOf(store, 'channel-1')).toEqual([]);
    expect(await store.turns.advance(turn.id, 'asked')).toBe('changed');
    expect(await store.turns.advance(turn.id, 'speaking')).toBe('changed');
    expect(await store.turns.finish(turn.id, end)).toBe('changed');
    expect(await store.turns.addTranscript(turn.id, 0, 'good morning')).toBe('changed');
    await store[Symbol.asyncDispose]();
    store = await open(location);
    const { turns, summary } = await store.conversations.load('channel-1', 10);
    const [first, second] = turn.utterances;
    expect(summary).toBeUndefined();
    expect(turns).toEqual([
      {
        ...turn,
        ...end,
        atMs: turn.atMs,
        endedAtMs: end.atMs,
        position: 1,
        utterances: [{ ...first, transcript: 'good morning' }, second],
      },
    ]);
  });

  test('answers an event that arrives again as a duplicate, whatever became of it', async () => {
    expect(await store.turns.receive(incoming('message:1'))).toBe('received');
    expect(await store.turns.receive(incoming('message:1', { conversationId: 'channel-2' }))).toBe('duplicate');
    await store.turns.finish('message:1', ending({ state: 'failed', reply: undefined, failure: 'busy' }));
    expect(await store.turns.receive(incoming('message:1'))).toBe('duplicate');
    expect(await idsOf(store, 'channel-1')).toEqual(['message:1']);
    expect(await idsOf(store, 'channel-2')).toEqual([]);
  });

  test('two processes with the same events receive each of them once', async () => {
    await using other = await open(location);
    const events = Array.from({ length: 40 }, (_, index) => incoming(`interaction:${index}`));
    const outcomes = await Promise.all(
      events.flatMap((event) => [store, other].map(({ turns }) => turns.receive(event))),
    );
    expect(outcomes.filter((outcome) => outcome === 'received')).toHaveLength(events.length);
    const ends = events.flatMap(({ id }) => [store, other].map(({ turns }) => turns.finish(id, ending())));
    expect((await Promise.all(ends)).filter((end) => end === 'changed')).toHaveLength(events.length);
    expect(new Set(await idsOf(store, 'channel-1'))).toEqual(new Set(events.map(({ id }) => id)));
  });

  test('a state only moves forward, an ended turn never opens again', async () => {
    await store.turns.receive(incoming('a'));
    expect(await store.turns.advance('a', 'speaking')).toBe('changed');
    expect(await store.turns.advance('a', 'asked')).toBe('refused');
    expect(await store.turns.finish('a', ending({ state: 'interrupted' }))).toBe('changed');
    expect(await store.turns.advance('a', 'speaking')).toBe('refused');
    expect(await store.turns.finish('a', ending({ state: 'done' }))).toBe('refused');
    expect(await store.turns.finish('a', ending({ state: 'interrupted' }))).toBe('changed');
    expect(await store.turns.advance('never-received', 'asked')).toBe('refused');
    expect(await store.turns.finish('never-received', ending())).toBe('refused');
    const { turns } = await store.conversations.load('channel-1', 10);
    expect(turns.map((turn) => turn.state)).toEqual(['interrupted']);
  });

  test('a turn that is asked at once is received and asked in one', async () => {
    expect(await store.turns.receive(incoming('a'), 'asked')).toBe('received');
    expect(await store.turns.receive(incoming('a'), 'asked')).toBe('duplicate');
    const { builder } = store.parts.dialect;
    const states = builder.selectFrom('turns').select('state').compile();
    expect(await store.parts.database.read([states], 'patient')).toEqual([[{ state: 'asked' }]]);
    expect(await store.turns.advance('a', 'speaking')).toBe('changed');
  });

  test('a turn belongs to the process that received it', async () => {
    await using other = await open(location);
    await store.turns.receive(incoming('a'));
    expect(await other.turns.advance('a', 'asked')).toBe('refused');
    expect(await other.turns.finish('a', ending())).toBe('refused');
    expect(await other.turns.takeOver()).toEqual([]);
    expect(await store.turns.advance('a', 'asked')).toBe('changed');
  });

  test('turns of a process that left are closed once, told once, and their owner cannot change them', async () => {
    const turn = incoming('a', { conversationId: 'channel-7', guildId: 'guild-7' });
    await store.turns.receive({ ...turn, shownIn: 'text-7' });
    await store[Symbol.asyncDispose]();
    store = await open(location);
    await using other = await open(location);
    const abandoned = {
      id: 'a',
      conversationId: 'channel-7',
      shownIn: 'text-7',
      guildId: 'guild-7',
      receivedAtMs: T0,
      closedAtMs: expect.any(Number),
    };
    expect((await Promise.all([store.turns.takeOver(), other.turns.takeOver()])).flat()).toEqual([abandoned]);
    const past = await store.conversations.load('channel-7', 10);
    expect(past.turns).toMatchObject([
      { id: 'a', state: 'interrupted', reply: undefined, utterances: turn.utterances },
    ]);
    expect((await Promise.all([store.turns.takeOver(), other.turns.takeOver()])).flat()).toEqual([]);
  });

  test('a notice that nobody sent is handed to the next process, until someone sent it', async () => {
    await store.turns.receive(incoming('a'));
    for (let restarts = 0; restarts < 2; restarts++) {
      await store[Symbol.asyncDispose]();
      store = await open(location);
      expect(await store.turns.takeOver()).toMatchObject([{ id: 'a' }]);
    }
    await store.turns.noticeSent('a');
    await store[Symbol.asyncDispose]();
    store = await open(location);
    expect(await store.turns.takeOver()).toEqual([]);
    expect(await idsOf(store, 'channel-1')).toEqual(['a']);
  });

  test('a notice that could not be given is handed out again, and no other', async () => {
    await store.turns.receive(incoming('a'));
    await store.turns.receive(incoming('b', { atMs: T0 + 1 }));
    await store[Symbol.asyncDispose]();
    store = await open(location);
    expect(await store.turns.takeOver()).toMatchObject([{ id: 'a' }, { id: 'b' }]);
    store.turns.noticeFailed('b');
    expect(await store.turns.takeOver()).toMatchObject([{ id: 'b' }]);
    await store.turns.noticeSent('b');
    expect(await store.turns.takeOver()).toEqual([]);
  });

  test('orders turns by their end, oldest first, and loads the newest', async () => {
    for (const id of ['a', 'b', 'c']) await store.turns.receive(incoming(id));
    for (const id of ['b', 'c', 'a']) await store.turns.finish(id, ending());
    expect(await idsOf(store, 'channel-1')).toEqual(['b', 'c', 'a']);
    expect(await idsOf(store, 'channel-1', 2)).toEqual(['c', 'a']);
  });

  test('records a turn that could not be received, or was received after all', async () => {
    await store.turns.receive(incoming('b'));
    for (const id of ['a', 'b']) expect(await store.turns.record(incoming(id), ending())).toBe('changed');
    expect(await store.turns.record(incoming('a'), ending())).toBe('changed');
    expect(await store.turns.record(incoming('a'), ending({ atMs: T0 + 1 }))).toBe('refused');
    expect(await idsOf(store, 'channel-1')).toEqual(['a', 'b']);
  });

  test('drops sound of older turns, and nothing else of them', async () => {
    for (const id of ['a', 'b', 'c']) {
      await hold(store, incoming(id, { utterances: [utterance({ speech: SPEECH })] }));
    }
    await store.turns.receive(incoming('open', { utterances: [utterance({ speech: SPEECH })] }));
    await store.conversations.keepSpeechOfNewest('channel-1', 2);
    await store.turns.finish('open', ending());
    const { turns } = await store.conversations.load('channel-1', 10);
    expect(turns.map((turn) => turn.utterances[0]?.speech?.data)).toEqual([
      undefined,
      SPEECH.data,
      SPEECH.data,
      SPEECH.data,
    ]);
    expect(turns[0]?.utterances).toEqual([utterance({ speech: { ...SPEECH, data: undefined } })]);
    expect(await store.conversations.describe('channel-1')).toMatchObject({
      turns: 4,
      speechMs: 3600,
      speechBytes: 18,
    });
  });

  test('a summary stands for the turns it covers', async () => {
    for (const id of ['a', 'b', 'c']) await hold(store, incoming(id));
    const { revision } = await store.conversations.load('channel-1', 10);
    const summary = { text: 'they greeted', throughPosition: 2, madeAtMs: T0 };
    expect(await store.conversations.putSummary('channel-1', summary, revision)).toBe('changed');
    expect(await store.conversations.load('channel-1', 10)).toMatchObject({ summary, turns: [{ id: 'c' }] });
    const shorter = { ...summary, throughPosition: 1 };
    expect(await store.conversations.putSummary('channel-1', shorter, revision)).toBe('refused');
    const longer = { ...summary, throughPosition: 3 };
    expect(await store.conversations.putSummary('channel-1', longer, revision)).toBe('changed');
    expect(await store.conversations.load('channel-1', 10)).toMatchObject({ summary: longer, turns: [] });
  });

  test('a summary of what was forgotten meanwhile is refused', async () => {
    await hold(store, incoming('a', { utterances: [utterance(), utterance({ speakerId: 'bo' })] }));
    const { revision } = await store.conversations.load('channel-1', 10);
    await store.privacy.forgetPerson('bo', 'guild-1');
    const summary = { text: 'Bo said', throughPosition: 1, madeAtMs: T0 };
    expect(await store.conversations.putSummary('channel-1', summary, revision)).toBe('refused');
    await store.privacy.forgetConversation('channel-1');
    await hold(store, incoming('b'));
    expect(await store.conversations.putSummary('channel-1', summary, revision)).toBe('refused');
    expect((await store.conversations.load('channel-1', 10)).summary).toBeUndefined();
  });

  test('forgets a person: their words, replies to them, summaries; not what others said', async () => {
    const bo = utterance({ speakerId: 'bo', speakerName: 'Bo', text: 'mine' });
    await hold(store, incoming('ada'));
    await hold(store, incoming('both', { utterances: [utterance(), bo] }));
    await hold(store, incoming('bo', { utterances: [bo] }));
    await hold(store, incoming('elsewhere', { conversationId: 'channel-9', guildId: 'guild-9', utterances: [bo] }));
    await store.turns.receive(incoming('open', { utterances: [utterance(), bo] }));
    const { revision } = await store.conversations.load('channel-1', 10);
    await store.conversations.putSummary('channel-1', { text: 'x', throughPosition: 1, madeAtMs: T0 }, revision);
    expect(await store.privacy.forgetPerson('bo', 'guild-1')).toEqual({ turns: 3 });
    const { turns, summary } = await store.conversations.load('channel-1', 10);
    expect(summary).toBeUndefined();
    expect(turns).toMatchObject([
      { id: 'ada', reply: { text: 'hello yourself' } },
      { id: 'both', reply: undefined, utterances: [{ speakerId: 'ada' }] },
    ]);
    expect(turns[1]?.utterances).toHaveLength(1);
    expect(await store.turns.finish('open', ending())).toBe('refused');
    expect(await idsOf(store, 'channel-9')).toEqual(['elsewhere']);
    expect(await store.privacy.forgetPerson('bo', undefined)).toEqual({ turns: 1 });
    expect(await idsOf(store, 'channel-9')).toEqual([]);
  });

  test('forgets a conversation or a server, and what is still being said there', async () => {
    await hold(store, incoming('a'));
    await hold(store, incoming('b', { conversationId: 'channel-2' }));
    await hold(store, incoming('c', { conversationId: 'channel-3', guildId: 'guild-2' }));
    await store.turns.receive(incoming('open'));
    expect(await store.privacy.forgetConversation('channel-1')).toEqual({ turns: 2 });
    expect(await store.turns.advance('open', 'asked')).toBe('refused');
    expect(await store.turns.finish('open', ending())).toBe('refused');
    expect(await store.turns.addTranscript('a', 0, 'x')).toBe('refused');
    expect(await idsOf(store, 'channel-1')).toEqual([]);
    expect(await idsOf(store, 'channel-2')).toEqual(['b']);
    expect(await store.privacy.forgetGuild('guild-1')).toEqual({ turns: 1 });
    expect(await idsOf(store, 'channel-2')).toEqual([]);
    expect(await idsOf(store, 'channel-3')).toEqual(['c']);
    await hold(store, incoming('anew'));
    expect(await idsOf(store, 'channel-1')).toEqual(['anew']);
  });

  test('sweeps turns, sound and servers when they are due, not before', async () => {
    const spoken = [utterance({ speech: SPEECH })];
    await hold(store, incoming('old', { utterances: spoken }), ending({ atMs: T0 + 1000 }));
    const { revision } = await store.conversations.load('channel-1', 10);
    await store.conversations.putSummary('channel-1', { text: 'x', throughPosition: 1, madeAtMs: T0 }, revision);
    await hold(store, incoming('quiet', { utterances: spoken }), ending({ atMs: T0 + 2000 }));
    await hold(store, incoming('new', { utterances: spoken }), ending({ atMs: T0 + 3000 }));
    await hold(
      store,
      incoming('gone', { conversationId: 'channel-2', guildId: 'guild-2' }),
      ending({ atMs: T0 + 3000 }),
    );
    await hold(
      store,
      incoming('back', { conversationId: 'channel-3', guildId: 'guild-3' }),
      ending({ atMs: T0 + 3000 }),
    );
    for (const guildId of ['guild-2', 'guild-3']) await store.privacy.scheduleGuildDeletion(guildId, T0 + 9000);
    // Said again at each start since: the first time counts.
    await store.privacy.scheduleGuildDeletion('guild-2', T0 + 90_000);
    expect(new Set(await store.privacy.guilds())).toEqual(new Set(['guild-1', 'guild-2', 'guild-3']));
    await store.privacy.cancelGuildDeletion('guild-3');
    const limits = { nowMs: T0 + 8000, turnsBeforeMs: T0 + 1500, speechBeforeMs: T0 + 2500 };
    expect(await store.privacy.sweep(limits)).toEqual({ turns: 1, speeches: 2, guilds: 0 });
    const { turns, summary } = await store.conversations.load('channel-1', 10);
    expect(summary).toBeUndefined();
    expect(turns.map((turn) => [turn.id, turn.utterances[0]?.speech?.data])).toEqual([
      ['quiet', undefined],
      ['new', SPEECH.data],
    ]);
    expect(await store.privacy.sweep({ ...limits, nowMs: T0 + 9000 })).toEqual({ turns: 1, speeches: 0, guilds: 1 });
    expect(await idsOf(store, 'channel-2')).toEqual([]);
    expect(await idsOf(store, 'channel-3')).toEqual(['back']);
    expect(await store.privacy.sweep({ ...limits, nowMs: T0 + 9000 })).toEqual({ turns: 0, speeches: 0, guilds: 0 });
  });

  test('an opt-out is known to every process until it is taken back', async () => {
    await using other = await open(location);
    await store.privacy.setOptedOut('ada', true, T0);
    await store.privacy.setOptedOut('ada', true, T0 + 1);
    await store.privacy.setOptedOut('bo', true, T0);
    await other.privacy.setOptedOut('bo', false, T0);
    expect(await other.privacy.optedOut()).toEqual(new Set(['ada']));
  });

  test('an opt-out takes the sound of that person with it, and of nobody else', async () => {
    const bo = utterance({ speakerId: 'bo', speech: SPEECH });
    await hold(store, incoming('both', { utterances: [utterance({ speech: SPEECH }), bo] }));
    await store.privacy.setOptedOut('ada', true, T0);
    const { turns } = await store.conversations.load('channel-1', 10);
    expect(turns[0]?.utterances.map(({ speech, text }) => [speech?.data, text])).toEqual([
      [undefined, 'hello'],
      [SPEECH.data, 'hello'],
    ]);
  });

  test('describes and exports a conversation', async () => {
    expect(await store.conversations.describe('channel-1')).toEqual({
      turns: 0,
      oldestAtMs: undefined,
      newestAtMs: undefined,
      hasSummary: false,
      speechMs: 0,
      speechBytes: 0,
      people: [],
    });
    const bo = utterance({ speakerId: 'bo', speakerName: 'Bo' });
    await hold(store, incoming('a', { utterances: [bo, utterance({ speakerName: 'Ada before' })] }));
    await hold(store, incoming('b', { atMs: T0 + 5000 }), ending({ atMs: T0 + 6000 }));
    const { revision, turns } = await store.conversations.load('channel-1', 10);
    const summary = { text: 'x', throughPosition: 1, madeAtMs: T0 };
    await store.conversations.putSummary('channel-1', summary, revision);
    await store.turns.receive(incoming('open', { utterances: [] }));
    expect(await store.conversations.describe('channel-1')).toEqual({
      turns: 2,
      oldestAtMs: T0,
      newestAtMs: T0 + 6000,
      hasSummary: true,
      speechMs: 0,
      speechBytes: 0,
      people: [
        { id: 'ada', name: 'Ada', utterances: 2 },
        { id: 'bo', name: 'Bo', utterances: 1 },
      ],
    });
    const records: ExportRecord[] = await Array.fromAsync(store.conversations.export('channel-1'));
    expect(records).toMatchObject([
      { type: 'conversation', id: 'channel-1', guildId: 'guild-1', participants: ['ada', 'bo'] },
      { type: 'turn', ...turns[0] },
      { type: 'turn', ...turns[1] },
      { type: 'turn', id: 'open', state: 'interrupted', position: 3 },
      { type: 'summary', conversationId: 'channel-1', ...summary },
    ]);
    expect(await Array.fromAsync(store.conversations.export('channel-2'))).toEqual([]);
  });

  test('keeps a turn of 100 KB and one of nothing', async () => {
    const text = '🦜'.repeat(25_000);
    await hold(
      store,
      incoming('large', { utterances: [utterance({ text })] }),
      ending({ reply: { text, audio: undefined } }),
    );
    await hold(store, incoming('empty', { utterances: [utterance({ text: '', speakerName: '' })] }));
    await hold(store, incoming('none', { utterances: [] }), ending({ reply: undefined, usage: undefined }));
    const { turns } = await store.conversations.load('channel-1', 10);
    expect(turns[0]?.utterances[0]?.text).toBe(text);
    expect(turns[0]?.reply?.text).toBe(text);
    expect(turns[1]?.utterances[0]).toMatchObject({ text: '', speakerName: '' });
    expect(turns[2]).toMatchObject({ utterances: [], reply: undefined, usage: undefined });
  });

  test.each(['', 'a b', 'ü', 'x'.repeat(201), '\u0000'])('refuses the id %j and goes on', async (id) => {
    const invalid = { name: 'StoreError', kind: 'invalid', shouldRetry: false };
    await expect(store.turns.receive(incoming(id))).rejects.toMatchObject(invalid);
    await expect(store.turns.receive(incoming('a', { conversationId: id }))).rejects.toMatchObject(invalid);
    await expect(store.turns.receive(incoming('a', { guildId: id }))).rejects.toMatchObject(invalid);
    expect(store.health.state.kind).toBe('ok');
  });

  test('several processes may start at once on an empty database', async () => {
    const empty = await databases.fresh(dialect);
    const stores = await Promise.all(Array.from({ length: 4 }, () => open(empty)));
    await Promise.all(stores.map(({ turns }, index) => turns.receive(incoming(`a${index}`))));
    await Promise.all(stores.map(({ turns }, index) => turns.finish(`a${index}`, ending())));
    expect(await idsOf(stores[0] ?? store, 'channel-1')).toHaveLength(4);
    await Promise.all(stores.map((each) => each[Symbol.asyncDispose]()));
  });

  test('after closing it says so', async () => {
    const closed = await open(location);
    await closed[Symbol.asyncDispose]();
    await expect(closed.turns.receive(incoming('a'))).rejects.toMatchObject({ kind: 'closed' });
  });
});
