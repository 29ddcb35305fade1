import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

import { Mp3Encoder } from '../../src/audio/mp3.ts';
import { concatSamples } from '../../src/audio/pcm.ts';
import { SandboxClient } from '../../src/sandbox/control/client.ts';
import type { MessageSnapshot, ModelRequestRecord, SandboxEvent } from '../../src/sandbox/control/protocol.ts';
import { Sandbox } from '../../src/sandbox/sandbox.ts';
import { silence } from '../audio/sounds.ts';
import { ParleyProcess } from '../support/parley-process.ts';
import { now, Room } from '../support/room.ts';
import { settingsFor } from '../support/scene.ts';
import { samplesOf } from '../support/sound.ts';

/** Each test starts the bot twice as a process, on a machine that may be busy. */
const TIMEOUT_MS = 120_000;

/** What the model writes down of the silence with which the bot tries the endpoint at its start. */
const TRIED_AT_START = '[0.5 seconds of speech]';

const NUMBERS = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];
const WORDS = NUMBERS.map((number) => `This is sentence number ${number}.`);

let sandbox: Sandbox;
let client: SandboxClient;
let room: Room;
let folder: string;
/** The words with a pause after each: as subtitles, a piece each. */
let talk: { name: string; data: string };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-long-'));
  await mkdir(temporary());
  sandbox = await Sandbox.start();
  client = await SandboxClient.connect(sandbox.controlUrl);
  await client.setModel({ firstAudioMs: 60 });
});

beforeEach(async () => {
  const { id: guildId } = await client.createGuild({ name: 'Server' });
  room = new Room(client, (await client.world({})).bot.id, {
    guildId,
    text: await client.createChannel({ guildId, name: 'general', kind: 'text' }),
    voice: await client.createChannel({ guildId, name: 'Lounge', kind: 'voice' }),
    alice: await client.createPerson({ guildId, name: 'Alice' }),
    bob: await client.createPerson({ guildId, name: 'Bob' }),
  });
  talk ??= { name: 'talk.mp3', data: await mp3Of(WORDS, 1200) };
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await sandbox[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function mp3Of(texts: readonly string[], pauseMs: number): Promise<string> {
  const spoken = await Promise.all(texts.map(async (text) => samplesOf(await room.recording(text))));
  const encoder = (await Mp3Encoder.load())();
  const sound = concatSamples(spoken.flatMap((samples) => [samples, silence(pauseMs)]));
  return Buffer.concat([encoder.encode(sound), encoder.finish()]).toString('base64');
}

function start(database: string): Promise<ParleyProcess> {
  const DATABASE_URL = `sqlite:${join(folder, database)}`;
  return ParleyProcess.start({ ...settingsFor(sandbox), DATABASE_URL, TMPDIR: temporary() }, sandbox);
}

function temporary(): string {
  return join(folder, 'temporary');
}

/** The temporary files that hold the recording, readable. */
async function recordings(): Promise<string[]> {
  const entries = await readdir(temporary(), { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const files = await Promise.all(paths.map(async (path) => ({ path, data: await readFile(path, 'base64') })));
  return files.filter(({ data }) => data === talk.data).map(({ path }) => path);
}

async function transcriptions(sinceMs: number): Promise<ModelRequestRecord[]> {
  return (await client.modelRequests({ sinceMs })).filter(({ endpoint }) => endpoint === 'transcription');
}

/** Resolves with the request for a transcription that is this many since then. */
async function asked(count: number, since: number): Promise<void> {
  let seen = 0;
  await client.waitFor(
    (event) => event.type === 'model-request' && event.endpoint === 'transcription' && ++seen === count,
    { since, timeoutMs: 20_000 },
  );
}

async function result(id: string, since: number): Promise<MessageSnapshot> {
  const event = await client.waitFor(
    (one): one is Extract<SandboxEvent, { type: 'message-created' | 'message-updated' }> =>
      one.type === 'message-updated' &&
      one.message.id === id &&
      one.message.components.length === 0 &&
      one.message.content !== '',
    { since, timeoutMs: 60_000 },
  );
  return event.message;
}

async function cuesOf({ attachments }: MessageSnapshot): Promise<(string | undefined)[]> {
  const srt = await (await fetch(attachments[0]?.url ?? '')).text();
  return srt
    .trim()
    .split('\n\n')
    .map((cue) => cue.split('\n')[2]);
}

test(
  'a killed bot goes on where it stopped, in the same message, and asks for no piece again',
  { timeout: TIMEOUT_MS },
  async () => {
    let shown: MessageSnapshot | undefined;
    {
      await using parley = await start('killed.db');
      await parley.logs('ready');
      // What is asked at start, to try the endpoint, is not counted.
      const since = now();
      // Five pieces are answered; of the next, four at a time, none is.
      await client.modelFault({ fault: { kind: 'delay', ms: 0 }, times: 5, endpoint: 'transcription' });
      await client.modelFault({
        fault: { kind: 'stall', afterChunks: 'headers' },
        times: 4,
        endpoint: 'transcription',
      });
      [shown] = (await room.run(room.alice, 'transcribe', { file: talk, format: 'srt' })).messages;
      await asked(9, since);
      await parley.stop('SIGKILL');
    }
    const killedAt = now();
    const [left] = await recordings();
    await using parley = await start('killed.db');
    await parley.logs('work is gone on with');
    const ended = await result(shown?.id ?? '', killedAt);
    expect(await cuesOf(ended)).toEqual(WORDS);
    const again = (await transcriptions(killedAt)).map(({ reply }) => reply?.text ?? '');
    expect(again.toSorted()).toEqual([TRIED_AT_START, ...WORDS.slice(5)].toSorted());
    expect(left).toBeDefined();
    expect(await recordings()).toEqual([]);
    await parley.stop();
  },
);

test('a bot that is stopped says that it goes on, and does', { timeout: TIMEOUT_MS }, async () => {
  let shown: MessageSnapshot | undefined;
  {
    await using parley = await start('stopped.db');
    await parley.logs('ready');
    const since = now();
    await client.modelFault({ fault: { kind: 'stall', afterChunks: 'headers' }, times: 4, endpoint: 'transcription' });
    [shown] = (await room.run(room.alice, 'transcribe', { file: talk, format: 'srt' })).messages;
    await asked(4, since);
    await parley.stop();
    const paused = (await room.messages()).find(({ id }) => id === shown?.id);
    expect(paused?.content).toContain('go on with this in a moment');
  }
  const since = now();
  await using parley = await start('stopped.db');
  await parley.logs('work is gone on with');
  expect(await cuesOf(await result(shown?.id ?? '', since))).toEqual(WORDS);
  await parley.stop();
});
