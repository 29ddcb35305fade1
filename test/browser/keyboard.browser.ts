import { expect, test } from 'vitest';

import { encodeWav } from '../../src/audio/wav.ts';
import { Scene } from '../support/scene.ts';
import { samplesOf } from '../support/sound.ts';
import { violationsOf } from './support/axe.ts';
import { TestBrowser } from './support/browser.ts';
import type { Page } from 'playwright-core';

/** Moves on with the Tab key until something by this name has the focus. */
async function tabTo(page: Page, name: RegExp, back = false): Promise<void> {
  for (let step = 0; step < 60; step++) {
    const focused = await page.evaluate(() => {
      const element = document.activeElement;
      if (!element?.matches('button, summary, input, select, textarea, a')) return '';
      const label = element instanceof HTMLInputElement ? element.labels?.[0]?.textContent : undefined;
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
  const since = performance.now();
  expect(await violationsOf(page)).toEqual([]);

  await tabTo(page, /Join voice/);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Call Parley here' }).waitFor();
  await tabTo(page, /Call Parley here/);
  await page.keyboard.press('Enter');
  await client.waitFor((event) => event.type === 'bot-voice-ready', { since, timeoutMs: 40_000 });
  await page.getByText(/I am listening/).waitFor();

  await client.setModel({
    reply:
      'This is a long answer, so that there is time to speak over it. It goes on and on, and nobody needs to hear its end.',
  });
  await tabTo(page, /What you say/);
  await page.keyboard.type('Hello Parley.');
  await page.keyboard.press('Enter');
  const spoke = await client.waitFor((event) => event.type === 'bot-speaking' && event.speaking, {
    since,
    timeoutMs: 40_000,
  });
  // Over the reply: the barge-in.
  await page.keyboard.type('Wait, please.');
  await page.keyboard.press('Enter');
  await client.waitFor((event) => event.type === 'bot-speaking' && !event.speaking, {
    since: spoke.atMs,
    timeoutMs: 40_000,
  });
  await page.locator('.turn[data-state="cut"]').waitFor();
  await page
    .getByRole('log')
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
  await tabTo(page, /file/);
  // The system's own file dialog cannot be reached from here; what it hands over can.
  const chooser = page.waitForEvent('filechooser');
  await page.keyboard.press(' ');
  await (
    await chooser
  ).setFiles({ name: 'meet.wav', mimeType: 'audio/wav', buffer: Buffer.from(encodeWav(samplesOf(wav))) });
  await page.getByText('meet.wav').waitFor();
  await tabTo(page, /^Run/);
  await page.keyboard.press('Enter');
  await page
    .getByRole('log')
    .getByText(/I heard .* seconds/)
    .first()
    .waitFor();

  await tabTo(page, /Apps for the message by Parley/, true);
  await page.keyboard.press('Enter');
  expect(await violationsOf(page)).toEqual([]);
  await page.keyboard.press('Escape');

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
  expect(complaints).toEqual([]);
});
