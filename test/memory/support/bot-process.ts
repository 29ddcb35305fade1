import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import type { World } from '../../bench/processes.ts';
import { KEY } from '../../store/support/stores.ts';
import { Room, type Person } from '../../support/room.ts';

/** A bot as a process of its own, which can be killed. */
export class BotProcess implements AsyncDisposable {
  /** What it logged, a JSON line an entry. */
  readonly log: string[] = [];
  readonly #world: World;
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;

  private constructor(world: World, child: ChildProcess) {
    this.#world = world;
    this.#child = child;
    this.#exit = once(child, 'exit');
  }

  /** Starts a bot with this database; resolves when it takes commands. */
  static async start(world: World, databaseUrl: string, env: Record<string, string> = {}): Promise<BotProcess> {
    const child = spawn(process.execPath, ['src/main.ts'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        PATH: process.env['PATH'],
        // Starts are most of what tests that kill wait for.
        NODE_COMPILE_CACHE: join(tmpdir(), 'parley-compile-cache'),
        ...world.botEnv,
        SANDBOX: 'never',
        TRANSCRIBE_MODEL: 'gpt-4o-transcribe',
        DATABASE_URL: databaseUrl,
        STORE_KEYS: KEY,
        ...env,
      },
    });
    const bot = new BotProcess(world, child);
    const ready = Promise.withResolvers<void>();
    createInterface({ input: child.stdout }).on('line', (line) => {
      bot.log.push(line);
      if (line.includes('"msg":"ready"')) ready.resolve();
    });
    child.once('exit', (code) => ready.reject(new Error(`the bot ended with ${code}: ${bot.log.at(-1)}`)));
    await ready.promise;
    return bot;
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('it did not start');
    return this.#child.pid;
  }

  /** Kills it with SIGKILL, and waits until Discord knows. */
  async kill(): Promise<void> {
    const offline = this.#world.client.world({}).then(({ bot }) => bot.online);
    if (!(await offline)) throw new Error('it was not online');
    this.#child.kill('SIGKILL');
    await this.#exit;
    while ((await this.#world.client.world({})).bot.online) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGTERM');
    await this.#exit;
  }
}

/** The server that the sandbox starts with. */
export async function homeOf({ client }: World): Promise<Room> {
  const { bot, guilds } = await client.world({});
  const [guild] = guilds;
  if (!guild) throw new Error('the sandbox has no server');
  return new Room(client, bot.id, {
    guildId: guild.id,
    text: named(guild.channels, 'general'),
    voice: named(guild.channels, 'Lounge'),
    alice: named(guild.people, 'Alice'),
    bob: named(guild.people, 'Bob'),
  });
}

function named(list: readonly Person[], name: string): Person {
  const found = list.find((one) => one.name === name);
  if (!found) throw new Error(`no ${name} in the sandbox`);
  return found;
}
