import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';

import { SAMPLE_RATE_HZ } from '../../src/audio/frame.ts';
import { Scene } from '../support/scene.ts';
import { samplesOf } from '../support/sound.ts';
import { soundOf, TestBrowser } from './support/browser.ts';
import { likenessByStretches } from './support/likeness.ts';
import { botSpeaking, replyEnded } from './support/reply.ts';

/** What the page plays is what the model sent, and what the model gets is what the browser's microphone gave. */
const SAME_SOUND = 0.9;
/**
 * What the browser makes of its microphone with its echo canceller on, which turns the phase of low tones: 0.87 of 1 over
 * stretches of 300 ms. The same voice with other words has 0.53.
 */
const SAME_WORDS = 0.7;
/** How exact the inspector is. */
const EXACT_MS = 20;

interface Talk extends AsyncDisposable {
  readonly scene: Scene;
  readonly page: Page;
  readonly complaints: readonly string[];
  /** What the microphone hears 3 s after it is opened. */
  readonly said: Int16Array;
}

/** The bot in a call with Alice, and a page whose microphone has a sentence to say. */
async function startTalk(): Promise<Talk> {
  await using parts = new AsyncDisposableStack();
  const scene = parts.use(await Scene.start());
  const { wav } = await scene.client.synthesize({ text: 'Hello Parley, can you hear me?', voice: 'slt' });
  const said = samplesOf(wav);
  const microphone = new Int16Array(3 * SAMPLE_RATE_HZ + said.length + SAMPLE_RATE_HZ);
  microphone.set(said, 3 * SAMPLE_RATE_HZ);
  const browser = parts.use(await TestBrowser.start(microphone));
  // The bot is called by somebody else: whoever joins then speaks at once.
  await scene.client.join({ personId: scene.home.alice.id, channelId: scene.home.voice.id });
  await scene.home.run(scene.home.alice, 'join');
  const { page, complaints } = await browser.open(scene.sandbox.pageUrl);
  const running = parts.move();
  return { scene, page, complaints, said, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

test('whoever joins with the microphone is heard, and hears the answer', async () => {
  await using talk = await startTalk();
  const { scene, page, said, complaints } = talk;
  const since = performance.now();
  await page.getByRole('button', { name: 'Join voice' }).click();
  const me = (await scene.client.world({})).guilds[0]?.people.find(({ name }) => name === 'You');
  const spoke = await scene.client.waitFor(
    (event) => event.type === 'person-speaking' && event.speaking && event.personId === me?.id,
    { since, timeoutMs: 40_000 },
  );
  const started = await botSpeaking(scene.client, true, spoke.atMs);
  const ended = await replyEnded(scene.client, started);
  await page.getByText('Sound buffered: 0 ms').waitFor();

  // The one that was answered: a microphone that drops out for a moment has the bot ask again.
  const requests = await scene.chatRequests(spoke.atMs);
  const request = requests.findLast(({ firstAudioAtMs = Infinity }) => firstAudioAtMs < started.atMs);
  const received = samplesOf(request?.audio.at(-1)?.wav);
  const captured = await soundOf(page, 'microphone');
  expect(
    likenessByStretches(received, captured),
    'the model received what the microphone gave to the page',
  ).toBeGreaterThan(SAME_SOUND);
  expect(likenessByStretches(said, received), 'the model received what was said').toBeGreaterThan(SAME_WORDS);
  const played = await soundOf(page, 'loudspeaker');
  expect(
    likenessByStretches(samplesOf(request?.reply?.wav), played),
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
  const lastSpokenMs = mine.packets.findLast(({ silence, atMs }) => !silence && atMs < started.atMs)?.atMs ?? 0;
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
  expect(complaints).toEqual([]);
});

test('speaking over the reply stops it, and the inspector says so', async () => {
  await using talk = await startTalk();
  const { scene, page, complaints } = talk;
  await page.getByRole('button', { name: 'Join voice' }).click();
  await page.getByRole('radio', { name: 'Push to talk' }).check();
  await scene.client.setModel({ reply: 'This is a long answer, so that there is time to speak over it. '.repeat(3) });
  const since = performance.now();
  await page.getByRole('button', { name: 'Tell me a little about yourself.' }).click();
  const started = await botSpeaking(scene.client, true, since);
  await page
    .getByRole('log')
    .getByText(/This is a long/)
    .waitFor();
  await page.getByRole('button', { name: 'What should we play tonight?' }).click();
  const over = await scene.client.waitFor((event) => event.type === 'person-speaking' && event.speaking, {
    since: started.atMs,
  });
  const stopped = await botSpeaking(scene.client, false, started.atMs);
  expect(stopped.atMs - over.atMs).toBeLessThan(1000);
  await page.locator('.turn[data-state="cut"]').waitFor();
  expect(complaints).toEqual([]);
});

test('push to talk sends only while the button is held', async () => {
  await using talk = await startTalk();
  const { scene, page, complaints } = talk;
  await page.getByRole('button', { name: 'Join voice' }).click();
  await page.getByRole('radio', { name: 'Push to talk' }).check();
  const hold = page.getByRole('button', { name: 'Hold to talk' });
  const since = performance.now();
  await hold.focus();
  await page.keyboard.down(' ');
  const begins = await scene.client.waitFor((event) => event.type === 'person-speaking' && event.speaking, { since });
  await page.keyboard.up(' ');
  await scene.client.waitFor((event) => event.type === 'person-speaking' && !event.speaking, { since: begins.atMs });
  expect(complaints).toEqual([]);
});
