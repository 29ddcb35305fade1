import { expect, test } from 'vitest';

import { startApp, type App } from '../../src/app.ts';
import { parseConfig } from '../../src/config/config.ts';
import { SandboxClient } from '../../src/sandbox/control/client.ts';
import { Sandbox } from '../../src/sandbox/sandbox.ts';
import { settingsFor } from '../support/scene.ts';
import { silentLog } from '../support/silent-log.ts';

const COMMANDS = /^\/applications\/\d+\/commands/;

test('commands are registered at the first start, and again only when they have changed', async () => {
  await using sandbox = await Sandbox.start();
  await using client = await SandboxClient.connect(sandbox.controlUrl);
  const writes = async () =>
    (await client.restRequests({})).filter(({ method, path }) => method !== 'GET' && COMMANDS.test(path));
  const start = (): Promise<App> =>
    startApp(parseConfig(settingsFor(sandbox)), silentLog, new AbortController().signal, (error) => {
      throw error;
    });
  const names = async () => (await client.world({})).commands.map(({ name }) => String(name)).toSorted();

  {
    await using _ = await start();
  }
  const registered = await names();
  expect(registered).toEqual(expect.arrayContaining(['ask', 'help', 'join', 'leave']));
  expect(await writes()).toMatchObject([{ method: 'PUT', status: 200 }]);

  {
    await using _ = await start();
  }
  expect(await writes()).toHaveLength(1);

  // Somebody has taken one away meanwhile.
  const [join] = (await client.world({})).commands.filter(({ name }) => name === 'join');
  const { apiUrl, token } = sandbox.discord;
  const url = `${apiUrl}/v10/applications/${String(join?.['application_id'])}/commands/${String(join?.['id'])}`;
  expect((await fetch(url, { method: 'DELETE', headers: { authorization: `Bot ${token}` } })).status).toBe(204);
  expect(await names()).not.toEqual(registered);
  {
    await using _ = await start();
  }
  expect(await names()).toEqual(registered);
});
