import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { z } from 'zod';

import { english } from '../../src/language/english.ts';
import type { InteractionSnapshot } from '../../src/sandbox/control/protocol.ts';
import { KEY, open } from '../store/support/stores.ts';
import { messagesOf, newestTurn } from '../support/request-body.ts';
import type { Person, Room } from '../support/room.ts';
import { Scene } from '../support/scene.ts';
import { likeness } from '../support/sound.ts';

/** What nobody may find. The sandbox writes down the sound of sentences it has made, so this is spoken, too. */
const WORDS = 'The xylophone quartet rehearses on Thursday.';

let dir: string;
let scene: Scene;
let room: Room;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'parley-forgetting-'));
  await mkdir(join(dir, 'temporary'));
  vi.stubEnv('TMPDIR', join(dir, 'temporary'));
  scene = await Scene.start({ env: { DATABASE_URL: `sqlite:${join(dir, 'parley.db')}`, STORE_KEYS: KEY } });
  await scene.client.setModel({ reply: WORDS });
});
beforeEach(async () => {
  room = await scene.furnish();
  await room.call();
  await scene.client.join({ personId: room.bob.id, channelId: room.voice.id });
});
afterAll(async () => {
  await scene.expectManners();
  await scene[Symbol.asyncDispose]();
  vi.unstubAllEnvs();
  await rm(dir, { recursive: true, force: true });
});

/** Everything that could hold what was said: database, write-ahead log, shared memory, temporary files, the log. */
async function everything(): Promise<Buffer> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => readFile(join(parentPath, name)));
  return Buffer.concat([...(await Promise.all(files)), Buffer.from(scene.log.join('\n'))]);
}

const soundSchema = z.object({ sound: z.instanceof(Uint8Array) });

/** The sealed sound that is kept of the room, and the sound itself. */
async function keptSound(): Promise<{ sealed: Uint8Array[]; plain: Uint8Array[] }> {
  using database = new DatabaseSync(join(dir, 'parley.db'), { readOnly: true });
  const rows = database.prepare('select sound from speech where conversation_id = ?').all(room.voice.id);
  await using store = await open({ kind: 'sqlite', file: join(dir, 'parley.db') });
  const { turns } = await store.conversations.load(room.voice.id, 10);
  const plain = turns.flatMap(({ utterances }) => utterances.flatMap(({ speech }) => speech?.data ?? []));
  return { sealed: rows.map((row) => soundSchema.parse(row).sound), plain };
}

/** Presses a button of an answer; resolves with the answer as it is then. */
async function press(person: Person, { messages }: InteractionSnapshot, label: string): Promise<InteractionSnapshot> {
  const message = messages[0];
  const button = buttonsOf(message?.components ?? []).find((one) => one.label === label);
  if (!message || !button) throw new Error(`there is no button "${label}"`);
  const { interactionId } = await scene.client.pressButton({
    personId: person.id,
    channelId: message.channelId,
    messageId: message.id,
    customId: button.custom_id,
  });
  await room.answered(interactionId);
  return scene.client.interaction({ interactionId });
}

const rowSchema = z.object({ components: z.array(z.object({ label: z.string(), custom_id: z.string() })) });

function buttonsOf(components: readonly Record<string, unknown>[]) {
  return components.flatMap((row) => rowSchema.parse(row).components);
}

/** What a person sees of an ephemeral message now. */
async function shown(person: Person, { messages }: InteractionSnapshot): Promise<string> {
  const all = await scene.client.messages({ channelId: room.text.id, personId: person.id });
  return all.find(({ id }) => id === messages[0]?.id)?.content ?? '';
}

/** Alice says the words, aloud and in writing; resolves when what she said is kept as words, too. */
async function plant(): Promise<void> {
  await room.ask(room.alice, 'ask', { prompt: WORDS });
  await room.turn(WORDS);
  await using store = await open({ kind: 'sqlite', file: join(dir, 'parley.db') });
  await expect
    .poll(async () => {
      const { turns } = await store.conversations.load(room.voice.id, 10);
      return turns.at(-1)?.utterances.every(({ transcript }) => transcript !== undefined);
    })
    .toBe(true);
}

function expectNowhere(haystack: Buffer, needles: readonly Uint8Array[]): void {
  // Pages break long values: parts are enough to find them.
  for (const needle of needles.map((bytes) => Buffer.from(bytes))) {
    for (const from of [0, needle.length / 4, needle.length / 2]) {
      expect(haystack.includes(needle.subarray(from, from + 24))).toBe(false);
    }
  }
}

const SECRETS = [Buffer.from(WORDS), Buffer.from('xylophone quartet'), Buffer.from(KEY, 'base64')];

test(
  '/forget asks first, and then what was said is nowhere any more, not even sealed',
  { timeout: 60_000 },
  async () => {
    await plant();
    const { sealed, plain } = await keptSound();
    expect(plain.length).toBeGreaterThan(0);
    expect(sealed).toHaveLength(plain.length);
    const before = await everything();
    for (const bytes of sealed) expect(before.includes(Buffer.from(bytes.subarray(0, 24)))).toBe(true);
    expectNowhere(before, [...SECRETS, ...plain]);

    const asked = await room.run(room.alice, 'forget', { what: 'me' });
    expect(asked.messages[0]).toMatchObject({ content: english.forget.confirm.me, ephemeral: true });
    await press(room.alice, asked, english.forget.no);
    expect(await shown(room.alice, asked)).toBe(english.forget.kept);
    expect((await keptSound()).sealed).toEqual(sealed);

    const again = await room.run(room.alice, 'forget', { what: 'me' });
    await press(room.alice, again, english.forget.yes);
    expect(await shown(room.alice, again)).toBe(english.forget.done(2));
    expectNowhere(await everything(), [...SECRETS, ...plain, ...sealed]);
    expect(await room.ask(room.alice, 'memory')).toBe(english.memory.nothing);
    const { reply } = await room.turn('Hello there.');
    expect(messagesOf(reply.request)).toHaveLength(1);
  },
);

test('whose words are another channel’s need the right there, and stay meant when the call ends', async () => {
  await plant();
  const { client } = scene;
  await client.setDenied({ channelId: room.text.id, userId: room.bob.id, deny: [], allow: ['MANAGE_MESSAGES'] });
  expect(await room.ask(room.bob, 'forget', { what: 'channel' })).toBe(english.errors['needs-manage-messages']);
  await client.setDenied({ channelId: room.voice.id, userId: room.bob.id, deny: [], allow: ['MANAGE_MESSAGES'] });
  const asked = await room.run(room.bob, 'forget', { what: 'channel' });
  expect(asked.messages[0]?.content).toBe(english.forget.confirm.channel);
  await room.leave();
  await press(room.bob, asked, english.forget.yes);
  expect(await shown(room.bob, asked)).toBe(english.forget.done(2));
});

test('what concerns others needs a right over them; who has it makes a whole server forgotten', async () => {
  await plant();
  const { sealed, plain } = await keptSound();
  expect(sealed.length).toBeGreaterThan(0);
  const denied = await room.ask(room.bob, 'forget', { what: 'server' });
  expect(denied).toBe(english.errors['needs-manage-server']);
  expect((await keptSound()).sealed).toEqual(sealed);

  await scene.client.setDenied({
    channelId: room.text.id,
    userId: room.bob.id,
    deny: [],
    allow: ['MANAGE_GUILD'],
  });
  const asked = await room.run(room.bob, 'forget', { what: 'server' });
  expect(asked.messages[0]?.content).toBe(english.forget.confirm.server);
  await press(room.bob, asked, english.forget.yes);
  expect(await shown(room.bob, asked)).toBe(english.forget.done(2));
  expectNowhere(await everything(), [...SECRETS, ...plain, ...sealed]);
  expect(await room.ask(room.alice, 'memory')).toBe(english.memory.nothing);
});

test('who opts out is not heard from then on, nor sent again, and may come back', { timeout: 90_000 }, async () => {
  await plant();
  const { sealed, plain } = await keptSound();
  expect(sealed.length).toBeGreaterThan(0);
  const asked = await room.run(room.alice, 'privacy');
  expect(asked.messages[0]?.content).toBe(english.privacy.heard);
  await press(room.alice, asked, english.privacy.optOut);
  expect(await shown(room.alice, asked)).toBe(english.privacy.notHeard);
  expectNowhere(await everything(), [...SECRETS, ...plain, ...sealed]);

  const unheard = await room.say(room.alice, WORDS);
  const file = { name: 'me.wav', data: unheard.wav };
  expect(await room.ask(room.alice, 'ask', { prompt: 'And this?', file })).toBe(english.errors['opted-out']);
  expect(await room.ask(room.alice, 'transcribe', { file })).toBe(english.errors['opted-out']);
  const message = { personId: room.alice.id, channelId: room.text.id, wav: unheard.wav };
  const { id: messageId } = await scene.client.sendVoiceMessage(message);
  for (const command of ['Transcribe', 'Answer aloud']) {
    const where = { personId: room.bob.id, channelId: room.text.id, messageId };
    const { interactionId } = await scene.client.runMessageCommand({ ...where, command });
    const [answer] = (await room.answered(interactionId)).messages;
    expect(answer?.content).toBe(english.errors['author-opted-out']);
  }
  const { request } = await room.replied(await room.say(room.bob, 'Hello there.', 'rms'), room.bob);
  const newest = newestTurn(request);
  expect(newest.filter((part) => typeof part === 'string').join(' ')).toMatch(/^Bob/);
  // Nothing of hers is in the history either: all the sound there is was just said by Bob.
  expect(request.audio).toHaveLength(newest.length / 2);
  const sent = (await scene.client.modelRequests({})).filter(({ atMs }) => atMs >= unheard.firstPacketAtMs);
  for (const { wav } of sent.flatMap(({ audio }) => audio)) expect(likeness(unheard.wav, wav)).toBeLessThan(0.5);

  const back = await room.run(room.alice, 'privacy');
  expect(back.messages[0]?.content).toBe(english.privacy.notHeard);
  await press(room.alice, back, english.privacy.optIn);
  expect(await shown(room.alice, back)).toBe(english.privacy.heard);
  const { reply } = await room.turn('Hello there.');
  expect(newestTurn(reply.request)[0]).toMatch(/^Alice/);
});
