import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as elapsed } from 'node:timers/promises';

import { concatSamples } from '../../../src/audio/pcm.ts';
import type { MessageSnapshot, ModelFault, SandboxEvent } from '../../../src/sandbox/control/protocol.ts';
import { randomFrom } from '../../files/mutate.ts';
import { BotProcess, homeOf } from '../../memory/support/bot-process.ts';
import type { Room } from '../../support/room.ts';
import { samplesOf } from '../../support/sound.ts';
import { startWorld, type World } from '../processes.ts';
import { Maker } from './made.ts';
import { MARK_MS, MARKS, MINUTES, NEAR_MS } from './marks.ts';
import { memoryOf } from './measured.ts';

const END_MS = 10 * 60_000;
const FAULTS = 40;

/** An hour of these, one after the other. */
const SENTENCES = ['one', 'two', 'three', 'four', 'five', 'six'].map((number) => `This is mark number ${number}.`);

/** What people get of a file that a bot was killed over. */
interface Outcome {
  /** Pieces that had been written down when it was killed. */
  readonly killedAfter: number;
  /** Pieces the model was asked for, in both lives, those that failed included. */
  readonly asked: number;
  /** Starts of the cues, in the order in which they stand in the file, and their words. */
  readonly cues: readonly { readonly startMs: number; readonly text: string }[];
  /** The highest, of the bot and its children, above what it takes when nothing happens. */
  readonly aboveIdleBytes: number;
}

/**
 * Gives an hour of marks to a whole bot to be written down, by a model that is slow or fails at random; kills it somewhere
 * in the middle, and starts it again.
 */
export async function hourKilled(seed: number): Promise<string> {
  const { killedAfter, asked, cues, aboveIdleBytes } = await transcribeKilled(seed);
  const furthestMs = Math.max(...cues.map(({ startMs }, index) => Math.abs(startMs - index * MARK_MS)));
  const wrong = cues.filter(({ text }, index) => text !== SENTENCES[index % SENTENCES.length]).length;
  const right = cues.length === MARKS && furthestMs <= NEAR_MS && wrong === 0;
  return (
    `A whole bot, killed with SIGKILL after ${killedAfter} pieces and started again, of a model that failed or dawdled ${FAULTS} ` +
    `times: ${cues.length} cues of ${MARKS}, ${wrong} with other words than were spoken there, the furthest ` +
    `${Math.round(furthestMs)} ms from the truth: ${right ? 'reached' : 'MISSED'}. ${asked} requests; ` +
    `${Math.round(aboveIdleBytes / 1e6)} MB above idle, children included.`
  );
}

async function transcribeKilled(seed: number): Promise<Outcome> {
  const random = randomFrom(seed);
  const folder = await mkdtemp(join(tmpdir(), 'parley-hour-'));
  try {
    await using world = await startWorld();
    const { client } = world;
    const room = await homeOf(world);
    await client.setModel({ firstAudioMs: 20, speed: 50 });
    const file = await hourOf(room);
    const database = `sqlite:${join(folder, 'parley.db')}`;
    await using first = await BotProcess.start(world, database);
    const idleBytes = memoryOf(first.pid);
    for (let fault = 0; fault < FAULTS; fault++) {
      await client.modelFault({ fault: someFault(random), times: 1, endpoint: 'transcription' });
    }
    const upload = { name: 'hour.opus', data: file.toString('base64') };
    const { messages } = await room.run(room.alice, 'transcribe', { file: upload, format: 'srt' });
    const messageId = messages[0]?.id ?? '';
    const killedAfter = Math.floor((0.2 + 0.6 * random()) * MARKS);
    let peakBytes = 0;
    while ((await written(world)) < killedAfter) {
      peakBytes = Math.max(peakBytes, memoryOf(first.pid));
      await elapsed(200);
    }
    await first.kill();
    await using second = await BotProcess.start(world, database);
    const ended = new AbortController();
    const result = endOf(world, messageId).finally(() => ended.abort());
    while (!ended.signal.aborted) {
      peakBytes = Math.max(peakBytes, memoryOf(second.pid));
      await elapsed(200);
    }
    return {
      killedAfter,
      asked: await written(world),
      cues: await cuesOf(await result),
      aboveIdleBytes: peakBytes - idleBytes,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function hourOf(room: Room): Promise<Buffer> {
  const pad = (samples: Int16Array): Int16Array[] => [samples, new Int16Array(MARK_MS * 24 - samples.length)];
  const spoken = await Promise.all(SENTENCES.map(async (sentence) => samplesOf(await room.recording(sentence))));
  using maker = new Maker(concatSamples(spoken.flatMap(pad)));
  return maker.repeat({ extension: 'opus', options: ['-c:a', 'libopus', '-b:a', '16k'] }, MINUTES);
}

function someFault(random: () => number): ModelFault {
  const kind = Math.floor(random() * 4);
  if (kind === 0) return { kind: 'status', status: 503 };
  if (kind === 1) return { kind: 'cut', afterChunks: 'headers' };
  return { kind: 'delay', ms: random() * 3000 };
}

async function written({ client }: World): Promise<number> {
  const requests = await client.modelRequests({ sound: false });
  return requests.filter(({ endpoint }) => endpoint === 'transcription').length;
}

async function endOf({ client }: World, messageId: string): Promise<MessageSnapshot> {
  const { message } = await client.waitFor(
    (event): event is Extract<SandboxEvent, { type: 'message-updated' }> =>
      event.type === 'message-updated' && event.message.id === messageId && event.message.attachments.length > 0,
    { timeoutMs: END_MS },
  );
  return message;
}

async function cuesOf({ attachments }: MessageSnapshot): Promise<Outcome['cues']> {
  const srt = await (await fetch(attachments[0]?.url ?? '')).text();
  return srt
    .trim()
    .split('\n\n')
    .map((cue) => {
      const [, times = '', ...text] = cue.split('\n');
      const [hours = 0, minutes = 0, seconds = 0, ms = 0] = times.split(/[:,]| --> /).map(Number);
      return { startMs: ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms, text: text.join(' ') };
    });
}
