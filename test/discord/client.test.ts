import type { Client } from 'discord.js';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { createClient, signIn } from '../../src/discord/client.ts';
import { SandboxClient } from '../../src/sandbox/control/client.ts';
import { Sandbox } from '../../src/sandbox/sandbox.ts';
import { silentLog } from '../support/silent-log.ts';

const { signal } = new AbortController();

const parts = new AsyncDisposableStack();
let sandbox: Sandbox;
let control: SandboxClient;
let client: Client<true>;

beforeAll(async () => {
  sandbox = parts.use(await Sandbox.start());
  control = parts.use(await SandboxClient.connect(sandbox.controlUrl));
  const created = createClient(sandbox.discord.apiUrl, silentLog, signal);
  parts.defer(() => created.destroy());
  client = await signIn(created, sandbox.discord.token, signal);
});

afterAll(() => parts.disposeAsync());

/** What the library does every hour. */
function sweep(): void {
  const { sweepers } = client.options;
  const [isMemberSwept, isUserSwept] = [sweepers?.guildMembers?.filter?.(), sweepers?.users?.filter?.()];
  if (isMemberSwept) client.sweepers.sweepGuildMembers(isMemberSwept);
  if (isUserSwept) client.sweepers.sweepUsers(isUserSwept);
}

test('of all who ever wrote something, only those who are in a voice channel are kept at hand', async () => {
  const guildId = sandbox.guild.id;
  const text = await control.createChannel({ guildId, name: 'words', kind: 'text' });
  const voice = await control.createChannel({ guildId, name: 'Balcony', kind: 'voice' });
  const people = await Promise.all(
    ['writes', 'speaks', 'spoke'].map((name) => control.createPerson({ guildId, name })),
  );
  const [writes, speaks, spoke] = people.map(({ id }) => id);
  if (!writes || !speaks || !spoke) throw new Error('nobody there');
  for (const personId of [speaks, spoke]) await control.join({ personId, channelId: voice.id });
  await control.leave({ personId: spoke });
  for (const { id } of people) await control.sendMessage({ personId: id, channelId: text.id, content: 'Hello.' });
  const known = (id: string): boolean =>
    client.users.cache.has(id) && client.guilds.cache.get(guildId)?.members.cache.has(id) === true;
  await expect.poll(() => people.every(({ id }) => known(id))).toBe(true);

  sweep();
  expect(known(speaks)).toBe(true);
  expect(known(client.user.id)).toBe(true);
  for (const id of [writes, spoke]) {
    expect(client.users.cache.has(id)).toBe(false);
    expect(client.guilds.cache.get(guildId)?.members.cache.has(id)).toBe(false);
  }
  const channel = client.channels.cache.get(voice.id);
  expect(channel?.isVoiceBased() && channel.members.map(({ displayName }) => displayName)).toEqual(['speaks']);
});
