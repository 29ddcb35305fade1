import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { entersState, joinVoiceChannel, VoiceConnectionStatus } from '@discordjs/voice';
import { Client, Events, GatewayIntentBits } from 'discord.js';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { SandboxClient } from '../../src/sandbox/control/client.ts';
import { Sandbox } from '../../src/sandbox/sandbox.ts';

const ready = z.object({
  controlUrl: z.url(),
  discord: z.object({ token: z.string(), apiUrl: z.url(), cdnHost: z.string() }),
  model: z.object({ url: z.url(), apiKey: z.string(), identityHeader: z.string(), deployments: z.array(z.string()) }),
  caFile: z.string(),
});

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => /^(TCP|UDP)/.test(name)).length;
}

test('an unmodified bot meets people, in the voice channel too, and all of it ends', async () => {
  const before = openSockets();
  {
    await using sandbox = await Sandbox.start();
    await using control = await SandboxClient.connect(sandbox.controlUrl);
    setDefaultCACertificates([...getCACertificates('default'), sandbox.caPem]);
    const [lounge] = sandbox.channels.filter(({ kind }) => kind === 'voice');
    const [alice] = sandbox.people;
    const guildId = sandbox.guild.id;
    const channelId = lounge?.id ?? '';
    const client = new Client({
      intents: [GatewayIntentBits.Guilds, GatewayIntentBits.GuildVoiceStates],
      rest: { api: sandbox.discord.apiUrl },
    });
    await client.login(sandbox.discord.token);
    if (!client.isReady()) await once(client, Events.ClientReady);
    const guild = client.guilds.cache.get(guildId);
    if (!guild || !alice) throw new Error('The sandbox is not furnished.');

    const connection = joinVoiceChannel({
      guildId,
      channelId,
      selfDeaf: false,
      adapterCreator: guild.voiceAdapterCreator,
    });
    connection.on('error', () => {});
    await entersState(connection, VoiceConnectionStatus.Ready, 10_000);
    await control.waitFor((event) => event.type === 'bot-voice-ready');
    const speaking = once(connection.receiver.speaking, 'start');
    await control.join({ personId: alice.id, channelId });
    const { wav } = await control.synthesize({ text: 'Hello.' });
    const { voicePackets } = await control.speak({ personId: alice.id, wav });
    expect(voicePackets).toBeGreaterThan(10);
    expect((await speaking)[0]).toBe(alice.id);
    connection.destroy();
    await control.waitFor((event) => event.type === 'voice-state' && event.channelId === null);
    await client.destroy();
  }
  await expect.poll(openSockets).toBeLessThanOrEqual(before);
});

test('as a process of its own it says where it is, and ends on SIGTERM', async () => {
  const child = spawn(process.execPath, ['src/sandbox/main.ts'], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [line]: unknown[] = await once(createInterface(child.stdout), 'line');
    const { controlUrl, discord, model, caFile } = ready.parse(JSON.parse(String(line)));
    expect(await readFile(caFile, 'utf8')).toContain('BEGIN CERTIFICATE');
    expect(model.deployments).toContain('gpt-audio-1.5');
    const headers = { authorization: `Bot ${discord.token}` };
    expect((await fetch(`${discord.apiUrl}/v10/users/@me`, { headers })).status).toBe(200);
    await using control = await SandboxClient.connect(controlUrl);
    expect((await control.world({})).guilds.map(({ name }) => name)).toEqual(['Parley Sandbox']);
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    await expect(access(caFile)).rejects.toThrow();
  } finally {
    child.kill('SIGKILL');
  }
});
