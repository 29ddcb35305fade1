import { expect, test } from 'vitest';

import { encodeWav } from '../../src/audio/wav.ts';
import type { SandboxEvent } from '../../src/sandbox/control/protocol.ts';
import { Scene } from '../support/scene.ts';
import { samplesOf } from '../support/sound.ts';
import { dropFile, TestBrowser } from './support/browser.ts';
import { botSpeaking } from './support/reply.ts';

test('what goes wrong in the world goes wrong for the bot', async () => {
  await using scene = await Scene.start();
  const { client, home, botId } = scene;
  await using browser = await TestBrowser.start();
  const { page, complaints } = await browser.open(scene.sandbox.pageUrl);
  const next = (fits: (event: SandboxEvent) => boolean, since: number): Promise<SandboxEvent> =>
    client.waitFor(fits, { since, timeoutMs: 40_000 });
  const press = async (name: string): Promise<number> => {
    const since = performance.now();
    await page.getByRole('button', { name }).click();
    return since;
  };
  await page.getByRole('button', { name: 'Join voice' }).click();
  const called = await press('Call Parley here');
  await next((event) => event.type === 'bot-voice-ready', called);
  await page.locator('.knobs > summary').click();

  // Somebody else talks over the next answer, on a bad line.
  await page.getByRole('slider', { name: 'Packets lost' }).fill('5');
  await page.getByRole('slider', { name: 'Jitter' }).fill('40');
  await client.setModel({ reply: 'This is a long answer, so that there is time to speak over it. '.repeat(3) });
  await page.getByRole('checkbox', { name: 'Talk over Parley when it next speaks' }).check();
  const asked = await press('Tell me a little about yourself.');
  const started = await botSpeaking(client, true, asked);
  await next((event) => event.type === 'person-speaking' && event.personId === home.bob.id, started.atMs);
  await botSpeaking(client, false, started.atMs);
  await page.locator('.turn[data-state="cut"]').first().waitFor();
  await client.setModel({ reply: null });
  await page.getByRole('slider', { name: 'Packets lost' }).fill('0');
  await page.getByRole('slider', { name: 'Jitter' }).fill('0');
  const spoken = await press('Alice speaks now');
  await next((event) => event.type === 'person-speaking' && event.personId === home.alice.id, spoken);

  const gateway = await press('Cut the gateway');
  await next((event) => event.type === 'bot-online', gateway);
  const voice = await press('Cut the voice socket');
  await next((event) => event.type === 'bot-voice-ready', voice);
  const moved = await press('Move the voice server');
  await next((event) => event.type === 'bot-voice-ready', moved);
  const kicked = await press('Disconnect the bot');
  await next((event) => event.type === 'voice-state' && event.userId === botId && event.channelId === null, kicked);
  await page.getByRole('button', { name: 'Call Parley here' }).waitFor();
  expect(complaints).toEqual([]);
});

test('without a microphone one talks by files and by lines', async () => {
  await using scene = await Scene.start();
  const { client, home } = scene;
  await using browser = await TestBrowser.start();
  const { page, complaints } = await browser.open(scene.sandbox.pageUrl);
  await page.evaluate(() => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('none', 'NotFoundError'));
  });
  const sound = samplesOf((await client.synthesize({ text: 'Where shall we meet?', voice: 'slt' })).wav);
  const file = { name: 'meet.wav', type: 'audio/wav', data: encodeWav(sound) };
  await dropFile(page, 'main', file);
  await page.getByText(/Join the voice channel first/).waitFor();

  await page.getByRole('button', { name: 'Join voice' }).click();
  await page.getByText('No microphone here.').waitFor();
  await client.join({ personId: home.alice.id, channelId: home.voice.id });
  await home.run(home.alice, 'join');
  const since = performance.now();
  await dropFile(page, '.inspector', file);
  const started = await botSpeaking(client, true, since);
  await page
    .getByRole('log')
    .getByText(/I heard .* seconds from You/)
    .waitFor();
  const [request] = await scene.chatRequests(since);
  expect(request?.atMs).toBeLessThan(started.atMs);
  await page.getByRole('button', { name: 'Record a voice message' }).click();
  await page.getByText(/There is no microphone here/).waitFor();
  expect(complaints).toEqual([]);
});
