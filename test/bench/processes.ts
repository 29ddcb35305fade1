import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

import { z } from 'zod';

import { SandboxClient } from '../../src/sandbox/control/client.ts';

const worldSchema = z.object({
  controlUrl: z.string(),
  discord: z.object({ token: z.string(), apiUrl: z.string(), cdnHost: z.string() }),
  model: z.object({ url: z.string(), apiKey: z.string(), deployments: z.array(z.string()) }),
  caFile: z.string(),
});

/** The sandbox in a process of its own, so that its time stamps are not those of the bot's event loop. */
export interface World extends AsyncDisposable {
  readonly client: SandboxClient;
  /** Environment for a bot that is to live in it, with the model behind `/v1`. */
  readonly botEnv: Record<string, string>;
}

export async function startWorld(): Promise<World> {
  const child = spawn('node', ['src/sandbox/main.ts'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = z.tuple([z.string()]).parse(await once(createInterface(child.stdout), 'line'));
  const { controlUrl, discord, model, caFile } = worldSchema.parse(JSON.parse(line));
  const client = await SandboxClient.connect(controlUrl);
  return {
    client,
    botEnv: {
      DISCORD_TOKEN: discord.token,
      DISCORD_API_URL: discord.apiUrl,
      ATTACHMENT_HOSTS: discord.cdnHost,
      OPENAI_BASE_URL: `${model.url}/v1`,
      OPENAI_API_KEY: model.apiKey,
      OPENAI_MODEL: model.deployments[0] ?? '',
      DATABASE_URL: ':memory:',
      NODE_EXTRA_CA_CERTS: caFile,
    },
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await stopped(child);
    },
  };
}

/** Starts a bot as a process of its own and resolves once it is online. */
export async function startBot(
  world: World,
  file: string,
  extraEnv: Record<string, string> = {},
): Promise<AsyncDisposable> {
  const child = spawn('node', [file], {
    env: { ...process.env, ...world.botEnv, ...extraEnv },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await world.client.waitFor((event) => event.type === 'bot-online', { timeoutMs: 30_000 });
  return { [Symbol.asyncDispose]: () => stopped(child) };
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
}
