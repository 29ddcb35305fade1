import { mkdir } from 'node:fs/promises';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { Scene } from '../support/scene.ts';
import { violationsOf } from './support/axe.ts';
import { TestBrowser } from './support/browser.ts';
import type { Page } from 'playwright-core';

const FOLDER = 'coverage/pictures';
/** Where the two of the README go. To renew those, `PICTURES=docs`. */
const README_FOLDER = process.env['PICTURES'] ?? FOLDER;

let scene: Scene;
let browser: TestBrowser;

beforeAll(async () => {
  await mkdir(FOLDER, { recursive: true });
  scene = await Scene.start();
  browser = await TestBrowser.start();
});

afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await scene?.[Symbol.asyncDispose]();
});

/** Nothing is wider than the window, and no menu than its message. */
async function fits(page: Page): Promise<boolean> {
  return page.evaluate(() => {
    const right = (element: Element | null): number => element?.getBoundingClientRect().right ?? 0;
    const menus = [...document.querySelectorAll('.message select')];
    return (
      document.documentElement.scrollWidth <= innerWidth &&
      menus.length > 0 &&
      menus.every((menu) => right(menu) <= right(menu.closest('.body')))
    );
  });
}

test('the room, the inspector, a phone and the dark', async () => {
  const { client, home } = scene;
  await client.join({ personId: home.bob.id, channelId: home.voice.id });
  const { page, complaints } = await browser.open(scene.sandbox.pageUrl);
  const since = performance.now();
  await page.getByRole('button', { name: 'Join voice' }).click();
  await page.getByRole('button', { name: 'Call Parley here' }).click();
  await client.waitFor((event) => event.type === 'bot-voice-ready', { since, timeoutMs: 40_000 });
  await client.setModel({
    firstAudioMs: 420,
    speed: 3,
    reply: 'Good evening! I would play something with dragons. Shall we begin at eight?',
  });
  await page.getByRole('button', { name: 'What should we play tonight?' }).click();
  const started = await client.waitFor((event) => event.type === 'bot-speaking' && event.speaking, {
    since,
    timeoutMs: 40_000,
  });
  await client.waitFor((event) => event.type === 'bot-speaking' && !event.speaking, {
    since: started.atMs,
    timeoutMs: 40_000,
  });
  await client.setModel({ reply: null });
  await home.run(home.bob, 'ask', { prompt: 'Say good night to everyone.', reply: 'voice' });
  await page
    .getByRole('group', { name: /Voice message/ })
    .first()
    .waitFor();
  const { wav } = await client.synthesize({ text: 'Wait, I have a better idea.', voice: 'rms' });
  const second = performance.now();
  await client.setModel({
    reply:
      'Then let us take the river first, and the mountains when the moon is up. After that we rest at the old bridge, and count what we have found on the way.',
  });
  await page.getByRole('button', { name: 'Tell me a little about yourself.' }).click();
  const again = await client.waitFor((event) => event.type === 'bot-speaking' && event.speaking, {
    since: second,
    timeoutMs: 40_000,
  });
  await page
    .getByRole('log')
    .getByText(/Then let us take the river/)
    .waitFor();
  await page.locator('.room').evaluate((room) => room.scrollTo(0, 0));
  await page.screenshot({ path: `${README_FOLDER}/playground.png` });
  await client.speak({
    personId: home.bob.id,
    wav,
  });
  await client.waitFor((event) => event.type === 'bot-speaking' && !event.speaking, {
    since: again.atMs,
    timeoutMs: 40_000,
  });
  await page.locator('.turn[data-state="cut"]').first().waitFor();
  const head = page.locator('.turn[data-state="cut"]').first().getByRole('button').first();
  // The newest turn is open until one is chosen: the cut one may have been it, and is no more.
  await head.click();
  if ((await head.getAttribute('aria-expanded')) === 'false') await head.click();
  await page.locator('.turn[data-state="cut"] [data-figure="played"]').waitFor();
  await page.locator('.turn').first().scrollIntoViewIfNeeded();
  await page.locator('.inspector').screenshot({ path: `${README_FOLDER}/turn-inspector.png` });

  await page.emulateMedia({ colorScheme: 'dark' });
  await page.screenshot({ path: `${FOLDER}/playground-dark.png` });
  await page.setViewportSize({ width: 390, height: 780 });
  for (const part of ['Room', 'Channel', 'Inspector']) {
    await page.getByRole('navigation').getByRole('button', { name: part }).click();
    expect(await fits(page), `${part} fits a phone`).toBe(true);
    expect(await violationsOf(page), `${part} in the dark`).toEqual([]);
    await page.screenshot({ path: `${FOLDER}/playground-phone-${part.toLowerCase()}.png` });
  }
  await page.emulateMedia({ colorScheme: 'light' });
  for (const part of ['Room', 'Channel', 'Inspector']) {
    await page.getByRole('navigation').getByRole('button', { name: part }).click();
    expect(await violationsOf(page), `${part} by day`).toEqual([]);
  }
  await page.setViewportSize({ width: 1360, height: 860 });
  await page.locator('.knobs > summary').click();
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await violationsOf(page), `the whole page, ${colorScheme}`).toEqual([]);
  }
  expect(complaints).toEqual([]);
});
