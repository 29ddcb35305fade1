import { setTimeout as elapsed } from 'node:timers/promises';

import { english } from '../../../src/language/english.ts';
import type { ModelRequestRecord } from '../../../src/sandbox/control/protocol.ts';
import type { StoreLocation } from '../../../src/store/open-store.ts';
import type { SqlStore } from '../../../src/store/sql-store.ts';
import type { TurnRecord } from '../../../src/store/turn-store.ts';
import { startWorld, type World } from '../../bench/processes.ts';
import { open } from '../../store/support/stores.ts';
import { newestTurn } from '../../support/request-body.ts';
import type { Room } from '../../support/room.ts';
import { BotProcess, homeOf } from './bot-process.ts';

const REPLY = 'Yes.';
/** A bot that is only asked in writing lives this long at most; one that is spoken to, this long once it listens. */
const WRITTEN_LIFE_MS = 1500;
const SPOKEN_LIFE_MS = 3500;
const ASK_EVERY_MS = 120;
/** Of different lengths, so that what is kept can be told apart. */
const SENTENCES = ['Good evening.', 'What shall we do this evening?', 'And who of you has the time to come along?'];
/** A recording loses its silence, and the codec adds a little. */
const LENGTH_TOLERANCE_MS = 400;

/** What the model was sent, as far as it is compared. */
interface Asked {
  readonly atMs: number;
  /** Of the newest turn. */
  readonly words: string;
  /** How long its sound was; `undefined`: it was asked in writing. */
  readonly heardMs: number | undefined;
}

export interface BotKillCounts {
  readonly kills: number;
  /** Questions in writing that a bot took, and those it answered. */
  readonly written: number;
  readonly answered: number;
  /** Turns by voice whose sound reached the model, and those among them that people heard answered to the end. */
  readonly spoken: number;
  readonly heard: number;
  /** Answered in writing and not kept so; sent to the model by voice and not kept. */
  readonly lost: number;
  readonly keptTwice: number;
  readonly askedTwice: number;
  readonly leftOpen: number;
  readonly interrupted: number;
  /** Lives that left turns open, and whether their people still wait for the news at the end. */
  readonly crashes: number;
  readonly told: number;
  readonly untold: number;
}

/** Kills a whole bot at random points while it is asked in writing, and every other time by voice as well. */
export async function killBots(location: StoreLocation, kills: number): Promise<BotKillCounts> {
  const url = location.kind === 'sqlite' ? `sqlite:${location.file}` : location.url;
  await using world = await startWorld();
  const { client } = world;
  const room = await homeOf(world);
  const recordings = await Promise.all(SENTENCES.map((sentence) => room.recording(sentence)));
  await client.setModel({ reply: REPLY, firstAudioMs: 80, speed: 50 });
  const written = new Map<string, string>();
  const lives: { sinceMs: number; keptBefore: number }[] = [];
  const requests: Asked[] = [];
  let crashes = 0;
  let heard = 0;
  let keptBefore = 0;
  for (let kill = 0; kill < kills; kill++) {
    const sinceMs = await sandboxNow(room);
    lives.push({ sinceMs, keptBefore });
    const bot = await BotProcess.start(world, url);
    const isSpoken = kill % 2 === 1;
    if (isSpoken) await room.call();
    const life = new AbortController();
    const killed = elapsed(Math.random() * (isSpoken ? SPOKEN_LIFE_MS : WRITTEN_LIFE_MS))
      .then(() => bot.kill())
      .finally(() => life.abort());
    const speaking = isSpoken ? speak(room, recordings, life.signal) : Promise.resolve(0);
    while (!life.signal.aborted) {
      const prompt = `Question ${written.size}?`;
      const asking = { personId: room.alice.id, channelId: room.voice.id, command: 'ask', options: { prompt } };
      // A bot that is being killed takes no commands.
      const asked = await client.runCommand(asking).catch(() => undefined);
      if (asked) written.set(prompt, asked.interactionId);
      await elapsed(ASK_EVERY_MS);
    }
    await killed;
    heard += await speaking;
    await inStore(location, async (store) => {
      if ((await openTurns(store)) > 0) crashes++;
      keptBefore = (await spokenTurns(store, room)).length;
    });
    requests.push(...(await askedSince(sinceMs, room)));
  }
  // The one that closes what the last one left open, and tells.
  const closedAtMs = await sandboxNow(room);
  await using _last = await BotProcess.start(world, url);
  for (let tries = 0; tries < 150 && (await inStore(location, owed)) > 0; tries++) await elapsed(100);
  requests.push(...(await askedSince(closedAtMs, room)));
  return await inStore(location, async (store) => {
    const turns = await keptTurns(store, room);
    const questions = requests.map(({ words }) => words).filter((words) => words.includes('Question'));
    const byPrompt = Map.groupBy(
      turns.filter(({ id }) => id.startsWith('interaction:')),
      ({ utterances }) => utterances[0]?.text ?? '',
    );
    const answered: string[] = [];
    for (const [prompt, interactionId] of written) {
      const { state, messages } = await client.interaction({ interactionId });
      if (state === 'answered' && messages[0]?.content === REPLY) answered.push(prompt);
    }
    const isAsAnswered = (prompt: string): boolean => {
      const kept = byPrompt.get(prompt)?.[0];
      return kept?.state === 'done' && kept.reply?.text === REPLY;
    };
    const spoken = comparedWithKept(requests, await spokenTurns(store, room), lives);
    return {
      kills,
      written: written.size,
      answered: answered.length,
      spoken: spoken.sent,
      heard,
      lost: answered.filter((prompt) => !isAsAnswered(prompt)).length + spoken.lost,
      keptTwice: [...byPrompt.values()].filter((same) => same.length > 1).length + spoken.keptTwice,
      askedTwice: questions.length - new Set(questions).size,
      leftOpen: await openTurns(store),
      interrupted: turns.filter(({ state }) => state === 'interrupted').length,
      crashes,
      told: await timesTold(world, room),
      untold: await owed(store),
    };
  });
}

/** Alice speaks, waits for the answer, and speaks again, until the bot is gone. Resolves with the answers heard to the end. */
async function speak(room: Room, recordings: readonly string[], signal: AbortSignal): Promise<number> {
  const gone = new Promise<undefined>((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  let heard = 0;
  for (let turn = 0; !signal.aborted; turn++) {
    const wav = recordings[turn % recordings.length] ?? '';
    const answer = room.client
      .speak({ personId: room.alice.id, wav })
      .then(async ({ lastVoicePacketAtMs }) => {
        const begun = await room.botSpeaking(true, lastVoicePacketAtMs);
        return room.botSpeaking(false, begun.atMs);
      })
      // Nobody speaks or listens to the end where the bot is killed.
      .catch(() => undefined);
    if (await Promise.race([answer, gone])) heard++;
  }
  await room.client.stopSpeaking({ personId: room.alice.id }).catch(() => {});
  return heard;
}

/** What one life asked. To be looked at when it is over: the sandbox keeps the newest requests only, and of fewer their sound. */
async function askedSince(sinceMs: number, { client }: Room): Promise<Asked[]> {
  const requests = await client.modelRequests({ sinceMs });
  return requests.filter(({ endpoint }) => endpoint === 'chat').map(asAsked);
}

function asAsked(request: ModelRequestRecord): Asked {
  const parts = newestTurn(request);
  const sounds = parts.filter((part) => typeof part === 'number');
  const heardMs = sounds.reduce((sum, part) => sum + wavMs(request.audio[part]?.wav ?? ''), 0);
  return { atMs: request.atMs, words: parts.join(' '), heardMs: sounds.length > 0 ? heardMs : undefined };
}

/**
 * Of each life the model was sent some turns by voice, in order; the store must hold just these, and at most one more that
 * was kept and not sent any more. A life's kill leaves no time between.
 */
function comparedWithKept(
  requests: readonly Asked[],
  kept: readonly TurnRecord[],
  lives: readonly { sinceMs: number; keptBefore: number }[],
): { sent: number; lost: number; keptTwice: number } {
  const totals = { sent: 0, lost: 0, keptTwice: 0 };
  for (const [index, { sinceMs, keptBefore }] of lives.entries()) {
    const next = lives[index + 1];
    const sent = requests
      .filter(({ atMs }) => atMs >= sinceMs && atMs < (next?.sinceMs ?? Infinity))
      .flatMap(({ heardMs }) => heardMs ?? []);
    const turns = kept.slice(keptBefore, next?.keptBefore);
    totals.sent += sent.length;
    totals.lost += sent.filter((heardMs, at) => !isSame(heardMs, turns[at])).length;
    totals.keptTwice += Math.max(0, turns.length - sent.length - 1);
  }
  return totals;
}

function isSame(heardMs: number, turn: TurnRecord | undefined): boolean {
  const keptMs = (turn?.utterances ?? []).reduce((sum, { speech }) => sum + (speech?.durationMs ?? 0), 0);
  return turn !== undefined && Math.abs(heardMs - keptMs) < LENGTH_TOLERANCE_MS;
}

/** The length of the sandbox's 16 bit mono WAV at 24 kHz. */
function wavMs(base64: string): number {
  return (Buffer.from(base64, 'base64').length - 44) / 48;
}

/** All turns, open ones and those that a summary stands for included. */
async function keptTurns(store: SqlStore, room: Room): Promise<TurnRecord[]> {
  const records = await Array.fromAsync(store.conversations.export(room.voice.id));
  return records.filter((record) => record.type === 'turn');
}

/** Turns by voice in the order they began. */
async function spokenTurns(store: SqlStore, room: Room): Promise<TurnRecord[]> {
  return (await keptTurns(store, room)).filter(({ id }) => id.startsWith('call:')).toSorted((a, b) => a.atMs - b.atMs);
}

async function openTurns(store: SqlStore): Promise<number> {
  const { database, dialect } = store.parts;
  const query = dialect.builder.selectFrom('turns').select('id').where('position', 'is', null).compile();
  const [rows] = await database.read([query], 'patient');
  return rows.length;
}

/** Turns that are open, or whose people do not know yet that they were cut off. */
async function owed(store: SqlStore): Promise<number> {
  const { database, dialect } = store.parts;
  const { builder } = dialect;
  const query = builder
    .selectFrom('turns')
    .select('id')
    .where((turn) => turn.or([turn('position', 'is', null), turn('notice_due', '=', 1)]))
    .compile();
  const [rows] = await database.read([query], 'patient');
  return rows.length;
}

async function inStore<T>(location: StoreLocation, work: (store: SqlStore) => Promise<T>): Promise<T> {
  await using store = await open(location);
  return await work(store);
}

async function timesTold({ client }: World, room: Room): Promise<number> {
  const channels = await Promise.all([room.text, room.voice].map(({ id }) => client.messages({ channelId: id })));
  return channels.flat().filter(({ content }) => content === english.memory.cutOff).length;
}

/** The time on the sandbox's clock: another process's. */
async function sandboxNow({ client, alice, text }: Room): Promise<number> {
  const { createdAtMs } = await client.sendMessage({ personId: alice.id, channelId: text.id, content: 'Now.' });
  return createdAtMs;
}
