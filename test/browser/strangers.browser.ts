import { once } from 'node:events';
import { createServer } from 'node:http';

import { expect, test } from 'vitest';

import { SandboxClient } from '../../src/sandbox/control/client.ts';
import { Sandbox } from '../../src/sandbox/sandbox.ts';
import { TestBrowser } from './support/browser.ts';

/** A name that leads to this machine, as a rebound DNS name does. */
const REBOUND = 'rebound.example';

/** Another site on the same machine: an empty page at another port. */
async function anotherSite(): Promise<{ url: string } & AsyncDisposable> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end('<!doctype html><title>Another site</title><iframe name="answer"></iframe>');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('no port');
  return {
    url: `http://127.0.0.1:${address.port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('another site can neither read the sandbox nor do anything in it', async () => {
  await using sandbox = await Sandbox.start();
  await using client = await SandboxClient.connect(sandbox.controlUrl);
  await using browser = await TestBrowser.start(undefined, [`--host-resolver-rules=MAP ${REBOUND} 127.0.0.1`]);
  await using site = await anotherSite();
  const before = await client.world({});
  const { page } = await browser.open(site.url);

  const tried = await page.evaluate(
    async ({ target, guildId }) => {
      const outcome = async (attempt: () => Promise<string>): Promise<string> => attempt().catch(() => 'refused');
      const read = (path: string, init?: RequestInit) => async (): Promise<string> => {
        const response = await fetch(new URL(path, target), init);
        return `${response.type} ${response.status}`;
      };
      const open = (path: string) => async (): Promise<string> =>
        new Promise((resolve, reject) => {
          const socket = new WebSocket(new URL(path, target.replace('http', 'ws')));
          socket.addEventListener('open', () => resolve('open'));
          socket.addEventListener('error', () => reject(new Error('closed')));
        });
      const load = (tag: 'script' | 'img', path: string) => async (): Promise<string> =>
        new Promise((resolve, reject) => {
          const element = document.createElement(tag);
          element.src = new URL(path, target).href;
          element.addEventListener('load', () => resolve('loaded'));
          element.addEventListener('error', () => reject(new Error('not loaded')));
          document.body.append(element);
        });
      const person = JSON.stringify({ guildId, name: 'Mallory' });
      return {
        fetched: await outcome(read('/world', { method: 'POST', body: '{}' })),
        asJson: await outcome(
          read('/createPerson', { method: 'POST', body: person, headers: { 'content-type': 'application/json' } }),
        ),
        page: await outcome(read('/')),
        events: await outcome(open('/events')),
        live: await outcome(open('/live?person=1')),
        script: await outcome(load('script', '/page/json.ts')),
        image: await outcome(load('img', '/page/icon.svg')),
      };
    },
    { target: sandbox.pageUrl, guildId: sandbox.guild.id },
  );
  expect(new Set(Object.values(tried))).toEqual(new Set(['refused']));

  // What a page may send without asking, it sends blindly: that it was refused is seen only at the other end.
  const statuses: number[] = [];
  page.on('response', (response) => {
    if (response.url().startsWith(sandbox.pageUrl)) statuses.push(response.status());
  });
  await page.evaluate(
    async ({ target, guildId }) => {
      const body = JSON.stringify({ guildId, name: 'Mallory' });
      await fetch(new URL('/createPerson', target), { method: 'POST', mode: 'no-cors', body });
    },
    { target: sandbox.pageUrl, guildId: sandbox.guild.id },
  );
  const [answer] = await Promise.all([
    page.waitForResponse((response) => response.url().endsWith('/createPerson')),
    page.evaluate(
      ({ target, guildId }) => {
        const form = document.createElement('form');
        form.action = new URL('/createPerson', target).href;
        form.method = 'post';
        form.enctype = 'text/plain';
        form.target = 'answer';
        const field = document.createElement('input');
        field.name = `{"guildId":"${guildId}","name":"Mallory","locale":"`;
        field.value = '"}';
        form.append(field);
        document.body.append(form);
        form.submit();
      },
      { target: sandbox.pageUrl, guildId: sandbox.guild.id },
    ),
  ]);
  expect(answer.status()).toBe(403);
  expect(statuses).toEqual([403, 403]);

  // The right address by a wrong name.
  const rebound = await page.goto(sandbox.pageUrl.replace('127.0.0.1', REBOUND));
  expect(rebound?.status()).toBe(403);
  expect(await client.world({})).toEqual(before);

  // In a frame of another site the page does not show.
  await page.goto(site.url);
  await page.evaluate((target) => {
    const frame = document.querySelector('iframe');
    if (frame) frame.src = target;
    return new Promise((resolve) => frame?.addEventListener('load', resolve));
  }, sandbox.pageUrl);
  expect(await page.frameLocator('iframe').getByText('Parley playground').count()).toBe(0);
});
