import { setImmediate as nextTurn } from 'node:timers/promises';

import type { GuildTextBasedChannel } from 'discord.js';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { Mp3Encoder } from '../../src/audio/mp3.ts';
import { OpusPacketError } from '../../src/audio/opus.ts';
import { createClient, signIn } from '../../src/discord/client.ts';
import { JobMessage } from '../../src/discord/job-message.ts';
import { Jobs } from '../../src/discord/jobs.ts';
import { NarrationPlayer } from '../../src/discord/narration-player.ts';
import { NarrationProgress } from '../../src/discord/narration-progress.ts';
import { NarrationRun } from '../../src/discord/narration-run.ts';
import { KeptWork } from '../../src/files/kept-work.ts';
import { english } from '../../src/language/english.ts';
import { joinPackets } from '../../src/narration/packets.ts';
import { Reader } from '../../src/narration/reader.ts';
import type { Script } from '../../src/narration/script.ts';
import { Spool } from '../../src/narration/spool.ts';
import { SandboxClient } from '../../src/sandbox/control/client.ts';
import { Sandbox } from '../../src/sandbox/sandbox.ts';
import { openStore } from '../../src/store/open-store.ts';
import { whenAborted } from '../../src/time/aborted.ts';
import { monotonicClock as clock } from '../../src/time/clock.ts';
import { RecordedLog } from '../model/support/recorded-log.ts';
import { KEY } from '../store/support/stores.ts';
import { silentLog } from '../support/silent-log.ts';

const SCRIPT: Script = {
  chapters: [
    {
      passages: [
        { text: 'One.', ends: 'paragraph' },
        { text: 'Two.', ends: 'paragraph' },
      ],
    },
  ],
};
const { signal } = new AbortController();

const parts = new AsyncDisposableStack();
const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown) => void unhandled.push(reason);
let channel: GuildTextBasedChannel;

beforeAll(async () => {
  const sandbox = parts.use(await Sandbox.start());
  const control = parts.use(await SandboxClient.connect(sandbox.controlUrl));
  const { id } = await control.createChannel({ guildId: sandbox.guild.id, name: 'words', kind: 'text' });
  const client = createClient(sandbox.discord.apiUrl, silentLog, signal);
  parts.defer(() => client.destroy());
  const found = (await signIn(client, sandbox.discord.token, signal)).channels.cache.get(id);
  if (!found?.isTextBased() || found.isDMBased()) throw new Error('no text channel');
  channel = found;
  process.on('unhandledRejection', onUnhandled);
});

afterAll(async () => {
  process.off('unhandledRejection', onUnhandled);
  await parts.disposeAsync();
});

test('sound that cannot be played while a long text is still being read is told at its end, and harms nobody before', async () => {
  const log = new RecordedLog();
  await using store = openStore({ location: { kind: 'sqlite', file: ':memory:' }, keys: KEY, clock });
  await using kept = new KeptWork({ store: store.jobs, clock, log, signal });
  const jobs = new Jobs();
  using job = jobs.start('1', 'alice', signal);
  const work = await kept.begin({
    id: 'interaction:1',
    kind: 'narration',
    conversationId: channel.id,
    guildId: channel.guildId,
    channelId: channel.id,
    messageId: '2',
    askedById: 'alice',
    atMs: Date.now(),
    parameters: '{}',
  });
  if (!work) throw new Error('no work');
  await using spool = await Spool.create();
  const damaged = joinPackets([Buffer.alloc(1, 0xff)]);
  await spool.add(damaged, 1);
  const player = new NarrationPlayer(
    {
      play: async (frames) => {
        for await (const _ of frames);
        return { reached: 'whole', playedFrames: 1 };
      },
    },
    spool,
  );
  const reading = Promise.withResolvers<void>();
  const reader = new Reader({
    voice: 'alloy',
    model: {
      // A text that takes hours.
      async *respond(_conversation, _options, stop) {
        reading.resolve();
        await whenAborted(stop);
        stop.throwIfAborted();
        yield { type: 'transcript', delta: 'One.' };
      },
    },
    clock,
    log,
  });
  const words = english;
  const run = new NarrationRun(
    {
      wish: { script: SCRIPT, voice: 'alloy', pace: 'normal', format: 'ogg', locale: 'en' },
      words,
      job,
      work,
      message: JobMessage.ofMessage(channel, '2', { clock, log, onMoved: () => {} }),
      progress: new NarrationProgress({
        words,
        clock,
        jobId: '1',
        script: SCRIPT,
        estimate: { durationMs: 1, tokens: 1 },
      }),
      channel,
      spool,
      given: new Set(),
      player,
    },
    { reader, createEncoder: await Mp3Encoder.load(), log, signal },
  );
  const running = run.run();
  await reading.promise;
  await expect.poll(() => player.state).toBe('ended');
  await nextTurn();
  expect(unhandled).toEqual([]);
  jobs.cancel('1', 'alice', false);
  await expect(running).rejects.toBeInstanceOf(OpusPacketError);
  expect(log.at('warn').map(({ message }) => message)).toContain('not heard');
});
