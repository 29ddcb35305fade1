import { afterAll, beforeAll, expect, test } from 'vitest';

import { SAMPLE_RATE_HZ } from '../../src/audio/frame.ts';
import { correlate } from '../../src/audio/similarity.ts';
import type { SandboxEvent } from '../../src/sandbox/control/protocol.ts';
import { Scene } from '../support/scene.ts';
import { samplesOf } from '../support/sound.ts';
import { outputOf, TestBrowser, type OpenPage } from './support/browser.ts';

/** What the page plays is what the model sent, through two codecs and a jitter buffer. */
const SAME_SOUND = 0.9;
/**
 * The browser's echo cancellation, noise suppression and gain work on the microphone, and may turn the polarity over; a
 * machine short of processors loses some of the fake device's sound. Other speech is below 0.2.
 */
const SAME_WORDS = 0.4;
/** How exact the inspector is. */
const EXACT_MS = 20;

let scene: Scene;
let browser: TestBrowser;
let opened: OpenPage;
let said: Int16Array;

beforeAll(async () => {
  scene = await Scene.start();
  const { wav } = await scene.client.synthesize({ text: 'Hello Parley, can you hear me?', voice: 'slt' });
  said = samplesOf(wav);
  const microphone = new Int16Array(3 * SAMPLE_RATE_HZ + said.length + SAMPLE_RATE_HZ);
  microphone.set(said, 3 * SAMPLE_RATE_HZ);
  browser = await TestBrowser.start(microphone);
  // The bot is called by somebody else: whoever joins then speaks at once.
  await scene.client.join({ personId: scene.home.alice.id, channelId: scene.home.voice.id });
  await scene.home.run(scene.home.alice, 'join');
  opened = await browser.open(scene.sandbox.pageUrl);
});

afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await scene?.[Symbol.asyncDispose]();
});

const botSpeaking = (speaking: boolean, since: number): Promise<SandboxEvent> =>
  scene.client.waitFor((event) => event.type === 'bot-speaking' && event.speaking === speaking, {
    since,
    timeoutMs: 40_000,
  });

test('whoever joins with the microphone is heard, and hears the answer', async () => {
  const { page } = opened;
  const since = performance.now();
  await page.getByRole('button', { name: 'Join voice' }).click();
  const me = (await scene.client.world({})).guilds[0]?.people.find(({ name }) => name === 'You');
  const spoke = await scene.client.waitFor(
    (event) => event.type === 'person-speaking' && event.speaking && event.personId === me?.id,
    { since, timeoutMs: 40_000 },
  );
  const started = await botSpeaking(true, spoke.atMs);
  const ended = await botSpeaking(false, started.atMs);
  await page.waitForTimeout(600);

  // The one that was answered: a microphone that drops out for a moment has the bot ask again.
  const requests = await scene.chatRequests(spoke.atMs);
  const request = requests.findLast(({ firstAudioAtMs = Infinity }) => firstAudioAtMs < started.atMs);
  const received = samplesOf(request?.audio.at(-1)?.wav);
  expect(Math.abs(correlate(said, received).correlation), 'the model received what was said').toBeGreaterThan(
    SAME_WORDS,
  );
  const played = await outputOf(page);
  expect(
    correlate(samplesOf(request?.reply?.wav), played).correlation,
    'the page played what the model sent',
  ).toBeGreaterThan(SAME_SOUND);

  const caption = page.getByRole('log').getByText(/I heard .* seconds from You/);
  await caption.waitFor();

  // The inspector against the wire: the request's record, and the packets that somebody else heard.
  const turn = page.locator(`.turn[data-turn="${request?.id}"]`);
  await turn.locator('[data-figure="played"]').waitFor();
  const shown = async (name: string): Promise<number> =>
    Number(await turn.locator(`[data-figure="${name}"]`).getAttribute('data-ms'));
  const heardOf = (fromUserId: string) =>
    scene.client.heard({ personId: scene.home.alice.id, fromUserId, sinceMs: spoke.atMs });
  const [mine, reply] = await Promise.all([heardOf(me?.id ?? ''), heardOf(scene.botId)]);
  const lastSpokenMs = mine.packets.findLast(({ silence, atMs }) => !silence && atMs < (request?.atMs ?? 0))?.atMs ?? 0;
  const voiced = reply.packets.filter(({ silence, atMs }) => !silence && atMs <= ended.atMs);
  const [firstMs, lastMs] = [voiced[0]?.atMs ?? 0, voiced.at(-1)?.atMs ?? 0];
  const { atMs = 0, firstByteAtMs = 0, firstAudioAtMs = 0 } = request ?? {};
  const wire = {
    endOfTurn: atMs - lastSpokenMs,
    firstByte: firstByteAtMs - atMs,
    firstAudio: firstAudioAtMs - atMs,
    bot: firstMs - firstAudioAtMs,
    total: firstMs - lastSpokenMs,
    played: lastMs - firstMs,
  };
  for (const [name, value] of Object.entries(wire)) {
    expect(
      Math.abs((await shown(name)) - value),
      `${name}: ${value} on the wire, ${await shown(name)} shown`,
    ).toBeLessThan(EXACT_MS);
  }
  expect(await turn.getAttribute('data-state')).toBe('heard');
});

test('speaking over the reply stops it, and the inspector says so', async () => {
  const { page } = opened;
  await scene.client.setModel({ reply: 'This is a long answer, so that there is time to speak over it. '.repeat(3) });
  const since = performance.now();
  await page.getByRole('button', { name: 'Tell me a little about yourself.' }).click();
  const started = await botSpeaking(true, since);
  await page.waitForTimeout(800);
  await page.getByRole('button', { name: 'What should we play tonight?' }).click();
  const over = await scene.client.waitFor((event) => event.type === 'person-speaking' && event.speaking, {
    since: started.atMs,
  });
  const stopped = await botSpeaking(false, started.atMs);
  expect(stopped.atMs - over.atMs).toBeLessThan(1000);
  await page.locator('.turn[data-state="cut"]').waitFor();
  await botSpeaking(false, (await botSpeaking(true, stopped.atMs)).atMs);
});

test('push to talk sends only while the button is held', async () => {
  const { page } = opened;
  await page.getByRole('radio', { name: 'Push to talk' }).check();
  const hold = page.getByRole('button', { name: 'Hold to talk' });
  const since = performance.now();
  await hold.focus();
  await page.keyboard.down(' ');
  const begins = await scene.client.waitFor((event) => event.type === 'person-speaking' && event.speaking, { since });
  await page.keyboard.up(' ');
  await scene.client.waitFor((event) => event.type === 'person-speaking' && !event.speaking, { since: begins.atMs });
  await page.getByRole('radio', { name: 'Voice activity' }).check();
});

test('the page had nothing to complain of', () => {
  expect(opened.complaints).toEqual([]);
});
