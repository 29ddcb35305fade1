import { afterAll, beforeAll, expect, test } from 'vitest';

import { SAMPLE_RATE_HZ } from '../../src/audio/frame.ts';
import { encodeWav } from '../../src/audio/wav.ts';
import { Scene } from '../support/scene.ts';
import { samplesOf } from '../support/sound.ts';
import { violationsOf } from './support/axe.ts';
import { dropFile, TestBrowser, type OpenPage } from './support/browser.ts';

let scene: Scene;
let browser: TestBrowser;
let opened: OpenPage;
let sentence: Int16Array;

beforeAll(async () => {
  scene = await Scene.start();
  sentence = samplesOf((await scene.client.synthesize({ text: 'What should we play tonight?', voice: 'rms' })).wav);
  browser = await TestBrowser.start(sentence);
  opened = await browser.open(scene.sandbox.pageUrl);
});

afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await scene?.[Symbol.asyncDispose]();
});

const composer = () => opened.page.getByRole('textbox', { name: 'Message general' });
const log = () => opened.page.getByRole('log');

test('/ask takes a dropped file', async () => {
  const { page } = opened;
  await composer().fill('/as');
  await page.keyboard.press('Enter');
  await page.getByLabel('prompt').fill('What do I say here?');
  await dropFile(page, '.drop', { name: 'question.wav', type: 'audio/wav', data: encodeWav(sentence) });
  await page.getByText('question.wav').waitFor();
  expect(await violationsOf(page)).toEqual([]);
  await page.getByRole('button', { name: 'Run' }).click();
  await log()
    .getByText(/I heard/)
    .first()
    .waitFor();
});

test('a voice message has its waveform and plays', async () => {
  const { page } = opened;
  await composer().fill('/ask');
  await page.keyboard.press('Enter');
  await page.getByLabel('prompt').fill('Say good night.');
  await page.getByLabel('reply').selectOption({ label: 'voice message' });
  await page.getByRole('button', { name: 'Run' }).click();
  const message = log()
    .getByRole('group', { name: /Voice message/ })
    .last();
  await message.waitFor();
  expect(await message.locator('rect').count()).toBeGreaterThan(5);
  await message.getByRole('button', { name: 'Play' }).click();
  await message.getByRole('button', { name: 'Pause' }).waitFor();
  await message.locator('rect.played').first().waitFor({ state: 'attached' });
});

test('a voice message is recorded and sent as Discord has them', async () => {
  const { page } = opened;
  await page.getByRole('button', { name: 'Record a voice message' }).click();
  await page.getByText('1s').waitFor();
  await page.getByRole('button', { name: 'Send the voice message' }).click();
  const since = Date.now();
  while (Date.now() - since < 20_000) {
    const messages = await scene.client.messages({ channelId: scene.home.text.id });
    const mine = messages.find(({ authorName, voiceMessage }) => authorName === 'You' && voiceMessage);
    if (mine?.attachments[0]) {
      expect(mine.attachments[0].waveform).toBeDefined();
      expect(mine.attachments[0].durationSecs).toBeGreaterThan(0.9);
      return;
    }
    await page.waitForTimeout(100);
  }
  expect.fail('no voice message arrived');
});

test('text from people and the model stays text', async () => {
  const { page } = opened;
  await composer().fill('**bold** <img src=x onerror=alert(1)> `code` [here](https://example.com) ||secret||');
  await page.keyboard.press('Enter');
  const message = log().getByRole('article').last();
  await message.getByText('<img src=x onerror=alert(1)>').waitFor();
  expect(await message.locator('strong', { hasText: 'bold' }).count()).toBe(1);
  expect(await message.locator('img').count()).toBe(0);
  expect(await message.getByRole('link', { name: 'here' }).getAttribute('rel')).toContain('noopener');
});

test('a file is attached by dropping it', async () => {
  const { page } = opened;
  await dropFile(page, '.composer', {
    name: 'song.wav',
    type: 'audio/wav',
    data: encodeWav(new Int16Array(SAMPLE_RATE_HZ)),
  });
  await page.getByRole('button', { name: 'Remove song.wav' }).waitFor();
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await log().getByRole('link', { name: 'Download song.wav' }).waitFor();
});

test('a message is transcribed by a right click', async () => {
  const { page } = opened;
  await dropFile(page, '.composer', { name: 'tonight.wav', type: 'audio/wav', data: encodeWav(sentence) });
  await composer().fill('Who can read this?');
  await page.keyboard.press('Enter');
  const message = log().getByRole('article').filter({ hasText: 'Who can read this?' });
  await message.click({ button: 'right' });
  await message.getByRole('button', { name: 'Transcribe' }).click();
  await log()
    .getByText(/what should we play tonight/i)
    .first()
    .waitFor();
});

test('a fault of the model is told kindly', async () => {
  const { page } = opened;
  await page.locator('.knobs > summary').click();
  await page.getByRole('combobox', { name: /next request fails/ }).selectOption('401');
  await page.getByRole('button', { name: 'Fail next request' }).click();
  await page.getByText(/Done: wrong key/).waitFor();
  expect(await violationsOf(page)).toEqual([]);
  await composer().fill('/ask');
  await page.keyboard.press('Enter');
  await page.getByLabel('prompt').fill('Are you there?');
  await page.keyboard.press('Enter');
  await log()
    .getByText(/does not accept my key/)
    .waitFor();
  await page.locator('.turn[data-state="failed"]').first().waitFor();
});

test('the page speaks other languages', async () => {
  const { page } = opened;
  for (const [language, words] of [
    ['fr', 'Rejoindre le vocal'],
    ['it', 'Entra in vocale'],
    ['pt', 'Entrar na voz'],
    ['en', 'Join voice'],
  ] as const) {
    await page.locator('.language select').selectOption(language);
    await page.getByRole('button', { name: words }).waitFor();
    expect(await page.locator('html').getAttribute('lang')).toBe(language);
  }
});

test('the page had nothing to complain of', () => {
  expect(opened.complaints).toEqual([]);
});
