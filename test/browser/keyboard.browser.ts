import { expect, test } from 'vitest';

import { encodeWav } from '../../src/audio/wav.ts';
import { Scene } from '../support/scene.ts';
import { samplesOf } from '../support/sound.ts';
import { violationsOf } from './support/axe.ts';
import { soundOf, TestBrowser } from './support/browser.ts';
import { likenessByStretches } from './support/likeness.ts';
import { botSpeaking, replyEnded } from './support/reply.ts';
import type { Page } from 'playwright-core';

/** How exactly is another test's question; other words of the same voice have 0.5. */
const HEARD = 0.8;

/** Moves on with the Tab key until something by this name has the focus. */
async function tabTo(page: Page, name: RegExp, back = false): Promise<void> {
  for (let step = 0; step < 60; step++) {
    const focused = await page.evaluate(() => {
      const element = document.activeElement;
      if (!element?.matches('button, summary, input, select, textarea, a')) return '';
      const field = element instanceof HTMLInputElement || element instanceof HTMLSelectElement;
      const label = field ? element.labels?.[0]?.textContent : undefined;
      return [element.getAttribute('aria-label'), element.textContent, label].join(' ').trim();
    });
    if (name.test(focused)) return;
    await page.keyboard.press(back ? 'Shift+Tab' : 'Tab');
  }
  expect.fail(`no way to ${name} by keyboard`);
}

test('everything is done by keyboard alone, and axe finds nothing wrong on the way', async () => {
  await using scene = await Scene.start();
  const { wav } = await scene.client.synthesize({ text: 'Where shall we meet?', voice: 'slt' });
  await using browser = await TestBrowser.start();
  const { page, complaints } = await browser.open(scene.sandbox.pageUrl);
  const { client } = scene;
  const log = page.getByRole('log');
  const since = performance.now();
  expect(await violationsOf(page)).toEqual([]);

  await tabTo(page, /Join voice/);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Call Parley here' }).waitFor();
  await tabTo(page, /Call Parley here/);
  await page.keyboard.press('Enter');
  await client.waitFor((event) => event.type === 'bot-voice-ready', { since, timeoutMs: 40_000 });
  await page.getByText(/I am listening/).waitFor();

  await tabTo(page, /What you say/);
  await page.keyboard.type('Hello Parley.');
  await page.keyboard.press('Enter');
  const first = await botSpeaking(client, true, since);
  const ended = await replyEnded(client, first);
  await page.getByText('Sound buffered: 0 ms').waitFor();
  const request = (await scene.chatRequests(since)).findLast(
    ({ firstAudioAtMs = Infinity }) => firstAudioAtMs < first.atMs,
  );
  const played = await soundOf(page, 'loudspeaker');
  expect(likenessByStretches(samplesOf(request?.reply?.wav), played), 'the reply is heard').toBeGreaterThan(HEARD);
  await log
    .getByText(/I heard .* seconds from You/)
    .first()
    .waitFor();

  await client.setModel({
    reply:
      'This is a long answer, so that there is time to speak over it. It goes on and on, and nobody needs to hear its end.',
  });
  await page.keyboard.type('Tell me more.');
  await page.keyboard.press('Enter');
  const spoke = await botSpeaking(client, true, ended.atMs);
  // Over the reply: the barge-in.
  await page.keyboard.type('Wait, please.');
  await page.keyboard.press('Enter');
  await botSpeaking(client, false, spoke.atMs);
  await page.locator('.turn[data-state="cut"]').waitFor();
  await log
    .getByText(/This is a long answer/)
    .first()
    .waitFor();
  await client.setModel({ reply: null });

  await tabTo(page, /Message general/);
  await page.keyboard.type('/ask');
  await page.keyboard.press('Enter');
  await page.locator('.command').waitFor();
  expect(await violationsOf(page)).toEqual([]);
  await tabTo(page, /prompt/);
  await page.keyboard.type('What do I say here?');
  await tabTo(page, /^file/);
  // The system's own file dialog cannot be reached from here; what it hands over can.
  const chooser = page.waitForEvent('filechooser');
  await page.keyboard.press(' ');
  await (
    await chooser
  ).setFiles({ name: 'meet.wav', mimeType: 'audio/wav', buffer: Buffer.from(encodeWav(samplesOf(wav))) });
  await page.getByText('meet.wav').waitFor();
  const before = await log.getByText(/I heard .* seconds/).count();
  await tabTo(page, /^Run/);
  await page.keyboard.press('Enter');
  await log
    .getByText(/I heard .* seconds/)
    .nth(before)
    .waitFor();

  await tabTo(page, /Message general/);
  await page.keyboard.type('/ask');
  await page.keyboard.press('Enter');
  await tabTo(page, /prompt/);
  await page.keyboard.type('Say good night.');
  await tabTo(page, /reply/);
  await page.keyboard.type('voice');
  await tabTo(page, /^Run/);
  await page.keyboard.press('Enter');
  const voiceMessage = log.getByRole('group', { name: /Voice message/ });
  await voiceMessage.waitFor();
  await tabTo(page, /^Play/, true);
  await page.keyboard.press('Enter');
  await voiceMessage.locator('rect.played').first().waitFor({ state: 'attached' });

  await tabTo(page, /Attach a file/);
  const attaching = page.waitForEvent('filechooser');
  await page.keyboard.press(' ');
  await (
    await attaching
  ).setFiles({ name: 'read.wav', mimeType: 'audio/wav', buffer: Buffer.from(encodeWav(samplesOf(wav))) });
  await page.getByRole('button', { name: 'Remove read.wav' }).waitFor();
  await tabTo(page, /Message general/);
  await page.keyboard.type('Who can read this?');
  await page.keyboard.press('Enter');
  await log.getByText('Who can read this?').waitFor();
  await tabTo(page, /Apps for the message by You/, true);
  await page.keyboard.press('Enter');
  expect(await violationsOf(page)).toEqual([]);
  await tabTo(page, /^Transcribe/);
  await page.keyboard.press('Enter');
  await log
    .getByText(/where shall we meet/i)
    .last()
    .waitFor();

  await tabTo(page, /Turn \d/);
  const opened = page.locator('.turn').first().locator('.turn-body');
  await page.keyboard.press('Enter');
  // It was open, if it was the newest that somebody asked.
  if ((await opened.count()) === 0) await page.keyboard.press('Enter');
  await opened.waitFor();
  await tabTo(page, /Request as sent/);
  await page.keyboard.press('Enter');
  await tabTo(page, /The world/);
  await page.keyboard.press('Enter');
  expect(await violationsOf(page)).toEqual([]);
  await tabTo(page, /Fail next request/);
  await page.keyboard.press('Enter');
  await page.getByText(/Done: server error/).waitFor();
  await tabTo(page, /Message general/, true);
  await page.keyboard.type('/ask');
  await page.keyboard.press('Enter');
  await tabTo(page, /prompt/);
  await page.keyboard.type('Are you there?');
  await page.keyboard.press('Enter');
  await log.getByText(/problem of its own right now/).waitFor();
  expect(complaints).toEqual([]);
});
