import { access } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { SandboxClient } from '../../src/sandbox/control/client.ts';
import { ParleyProcess } from '../support/parley-process.ts';
import { Room, type Person } from '../support/room.ts';
import { FAITHFUL, likeness } from '../support/sound.ts';

test('with nothing configured it says in three lines what runs, stays up, and can be talked with', async () => {
  await using parley = await ParleyProcess.start({});
  await parley.says('README.md');
  const lines = parley.errors.trim().split('\n');
  expect(lines).toHaveLength(3);
  const controlUrl = /http:\/\/127\.0\.0\.1:\d+/.exec(lines[0] ?? '')?.[0] ?? '';
  expect(lines[1]).toContain('DISCORD_TOKEN');
  expect(lines[2]).toContain('AZURE_OPENAI_ENDPOINT');
  {
    await using client = await SandboxClient.connect(controlUrl);
    const { guilds, bot } = await client.world({});
    const [guild] = guilds;
    if (!guild) throw new Error('there is no server');
    const named = (list: readonly Person[], name: string): Person => {
      const found = list.find((one) => one.name === name);
      if (!found) throw new Error(`there is no ${name}`);
      return found;
    };
    const room = new Room(client, bot.id, {
      guildId: guild.id,
      text: named(guild.channels, 'general'),
      voice: named(guild.channels, 'Lounge'),
      alice: named(guild.people, 'Alice'),
      bob: named(guild.people, 'Bob'),
    });
    await room.call();
    const { said, reply } = await room.turn();
    expect(reply.request.reply?.text).toMatch(/^I heard [\d.]+ seconds from Alice\.$/);
    expect(likeness(said.wav, reply.request.audio.at(-1)?.wav)).toBeGreaterThanOrEqual(FAITHFUL);
    expect(likeness(reply.request.reply?.wav, reply.heard.wav)).toBeGreaterThanOrEqual(FAITHFUL);
    expect(await room.ask(room.bob, 'ask', { prompt: 'Hello?' })).toMatch(/^You wrote: Hello\?/);
  }
  // Where the rest of the settings would say otherwise, memory is kept in the working folder.
  await access(join(parley.folder, 'data/parley.db'));
  expect(await parley.stop()).toMatchObject({ code: 0, signal: null });
  expect(parley.errors.trim().split('\n')).toHaveLength(3);
});
