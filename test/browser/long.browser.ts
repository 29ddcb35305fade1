import { expect, test } from 'vitest';

import { EventHub } from '../../src/sandbox/control/event-hub.ts';
import { startControlServer } from '../../src/sandbox/control/server.ts';
import { startDiscordServer } from '../../src/sandbox/discord/discord-server.ts';
import { createPage } from '../../src/sandbox/page/page.ts';
import { VoiceActivityDetector } from '../../src/audio/vad.ts';
import { LiveSound, type LiveListener } from '../../src/sandbox/voice/live-sound.ts';
import { SilentVoice } from '../sandbox/discord/silent-voice.ts';
import type { ModelRequestRecord, SandboxEvent } from '../../src/sandbox/control/protocol.ts';
import type { Clock } from '../../src/time/clock.ts';
import { TestBrowser } from './support/browser.ts';

const TURNS = 200;
const TURN_MS = 18_000;
/** The page is looked at each time so many turns have passed, from when all that it keeps of old ones is full. */
const LOOK_EVERY = 25;
const FULL_AFTER = 100;
/** What it may hold more at a later look than at the first one. */
const MAX_GROWTH_BYTES = 1_000_000;
const MAX_GROWTH_NODES = 500;
/** What a turn may take longer to be shown at the end, and twice as long: the machine is busy with other things, too. */
const MAX_LATER_MS = 150;

function medianOf(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
}

/** An hour of a sandbox whose clock is the test's: 200 turns, each with its messages, events, record and some sound. */
test('a page left open for an hour of 200 turns neither grows nor falls behind', { timeout: 300_000 }, async () => {
  await using parts = new AsyncDisposableStack();
  let nowMs = 0;
  const clock: Clock = {
    nowMs: () => nowMs,
    after: () => ({ [Symbol.dispose]() {} }),
  };
  const hub = new EventHub();
  const emit = (event: SandboxEvent): void => hub.emit(event);
  const voice = new SilentVoice();
  const discord = parts.use(await startDiscordServer({ clock, emit, voice }));
  const live = new LiveSound(await VoiceActivityDetector.load(), () => undefined);
  const page = parts.use(await createPage({ cdnOrigin: new URL(discord.apiUrl).origin, live, personGone: () => {} }));
  const records: ModelRequestRecord[] = [];
  const model = {
    synthesize: async () => ({ wav: '' }),
    setModel: async () => {},
    modelFault: async () => {},
    modelRequests: async ({ sinceMs = 0, limit }: { sinceMs?: number; limit?: number }) =>
      records.filter(({ atMs }) => atMs >= sinceMs).slice(0, limit),
    expireAudio: async () => {},
  };
  const control = parts.use(await startControlServer({ ...discord.methods, ...voice.methods, ...model }, hub, page));
  const browser = parts.use(await TestBrowser.start());
  const { page: tab, complaints } = await browser.open(control.url, { recorded: false });
  await tab.getByRole('button', { name: 'Join voice' }).click();
  await tab.getByRole('button', { name: 'Leave' }).waitFor();

  const [guild] = (await discord.methods.world({})).guilds;
  const idOf = (name: string): string =>
    [...(guild?.channels ?? []), ...(guild?.people ?? [])].find((one) => one.name === name)?.id ?? '';
  const [text, alice] = [idOf('general'), idOf('Alice')];
  const me = (await discord.methods.world({})).guilds[0]?.people.find(({ name }) => name === 'You')?.id ?? '';
  const botId = (await discord.methods.world({})).bot.id;
  const session = await tab.context().newCDPSession(tab);
  const look = async (): Promise<{ bytes: number; nodes: number; listeners: number }> => {
    await session.send('HeapProfiler.collectGarbage');
    const { usedSize } = await session.send('Runtime.getHeapUsage');
    const { nodes, jsEventListeners } = await session.send('Memory.getDOMCounters');
    return { bytes: usedSize, nodes, listeners: jsEventListeners };
  };

  const hear: LiveListener = (senderId, sound) => live.heard(me, senderId, sound);
  const samples = new Int16Array(480).fill(2000);
  const looks: Awaited<ReturnType<typeof look>>[] = [];
  const shownAfterMs: number[] = [];
  for (let turn = 1; turn <= TURNS; turn++) {
    nowMs = turn * TURN_MS;
    const begun = performance.now();
    const requestId = `request-${turn}`;
    emit({ type: 'person-speaking', atMs: nowMs, personId: alice, speaking: true });
    emit({ type: 'person-speaking', atMs: nowMs + 1100, personId: alice, speaking: false });
    const wav = Buffer.alloc(48_044).toString('base64');
    records.push({
      id: requestId,
      endpoint: 'chat',
      path: '/openai/v1/chat/completions',
      auth: 'key',
      atMs: nowMs + 1500,
      bodyBytes: 64_000,
      body: { messages: [{ role: 'user', content: `turn ${turn}` }] },
      audio: [{ format: 'wav', bytes: 48_044, wav }],
      status: 200,
      firstByteAtMs: nowMs + 1700,
      firstAudioAtMs: nowMs + 1800,
      endedAtMs: nowMs + 2000,
      abandoned: false,
      reply: { text: `I heard turn ${turn}.`, wav },
    });
    emit({ type: 'model-request', atMs: nowMs + 1500, requestId, endpoint: 'chat' });
    emit({ type: 'model-first-audio', atMs: nowMs + 1800, requestId });
    emit({ type: 'bot-speaking', atMs: nowMs + 1810, guildId: guild?.id ?? '', speaking: true });
    await discord.methods.sendMessage({ personId: alice, channelId: text, content: `I heard **turn ${turn}**.` });
    for (let frame = 0; frame < 6; frame++) {
      const silence = frame === 5;
      hear(botId, {
        ssrc: 1,
        samples,
        packet: { atMs: nowMs, sequence: frame, timestamp: frame * 960, silence, level: 0.1 },
      });
    }
    emit({ type: 'model-ended', atMs: nowMs + 2000, requestId, abandoned: false });
    emit({ type: 'bot-speaking', atMs: nowMs + 2910, guildId: guild?.id ?? '', speaking: false });
    // The page is to have shown a turn before the next one comes.
    await tab.getByRole('log').getByText(`turn ${turn}`, { exact: true }).waitFor();
    shownAfterMs.push(performance.now() - begun);
    if (turn >= FULL_AFTER && turn % LOOK_EVERY === 0) looks.push(await look());
  }
  const [first, ...later] = looks;
  for (const one of later) {
    const seen = JSON.stringify(looks);
    expect(one.nodes - (first?.nodes ?? 0), seen).toBeLessThan(MAX_GROWTH_NODES);
    expect(one.listeners - (first?.listeners ?? 0), seen).toBeLessThan(MAX_GROWTH_NODES);
  }
  // A collection may leave what a moment later is gone; what is kept for good is in every look.
  const leastOfLast = Math.min(...looks.slice(-2).map(({ bytes }) => bytes));
  expect(leastOfLast - (first?.bytes ?? 0), JSON.stringify(looks)).toBeLessThan(MAX_GROWTH_BYTES);
  const early = medianOf(shownAfterMs.slice(FULL_AFTER, FULL_AFTER + LOOK_EVERY));
  const late = medianOf(shownAfterMs.slice(-LOOK_EVERY));
  expect(late, `${early} ms until a turn was shown, and at last`).toBeLessThan(2 * early + MAX_LATER_MS);
  expect(await tab.getByRole('log').getByRole('article').count()).toBeLessThanOrEqual(100);
  await tab.getByText('Sound buffered: 0 ms').waitFor();
  expect(complaints).toEqual([]);
});
