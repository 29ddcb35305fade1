import { once } from 'node:events';
import process from 'node:process';

import type { App } from './app.ts';
import { parseConfig, secretsOf, type Config } from './config/config.ts';
import { readEnv } from './config/env.ts';
import { EXIT_CONFIG, ConfigError } from './config/problems.ts';
import { createLogger, type RootLog } from './telemetry/logger.ts';

/** A process that is told to stop must be gone by then; orchestrators kill it soon after. */
const STOP_DEADLINE_MS = 9500;

/** How long sockets and timers of others may keep a process that is done. */
const LINGER_MS = 500;

const config = readConfig();
if (config) await run(config);

function readConfig(): Config | undefined {
  try {
    return parseConfig(readEnv());
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    tell(error.message);
    process.exitCode = EXIT_CONFIG;
    return undefined;
  }
}

async function run(config: Config): Promise<void> {
  // Loading all of it takes a second or two: whoever has made a mistake in the settings is told before that.
  const [{ startApp }, { startFailure }] = await Promise.all([import('./app.ts'), import('./start-failure.ts')]);
  const log = createLogger({ level: config.logLevel, secrets: secretsOf(config) });
  for (const { level, fields, message } of config.notices) log[level](fields, message);
  const stop = new AbortController();
  const fail = (error: unknown): void => {
    log.error({ err: error }, 'stopping after a fault');
    const { exitCode, sentence } = startFailure(error);
    tell(sentence);
    process.exitCode = exitCode;
    stop.abort();
  };
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.once(name, () => {
      log.info({ signal: name }, 'stopping');
      stop.abort();
    });
  }

  let app: App | undefined;
  try {
    app = await startApp(config, log, stop.signal, fail);
    if (app.sandbox) tell(welcome(config, app.sandbox.pageUrl));
    if (!stop.signal.aborted) await once(stop.signal, 'abort');
  } catch (error) {
    if (!stop.signal.aborted) fail(error);
  }
  dieAfterDeadline(log);
  await app?.[Symbol.asyncDispose]();
  log.info({}, 'stopped');
  await log.flush();
  // All of ours has ended. A sign-in that nobody answers is tried again by its library for many seconds, and cannot be ended.
  setTimeout(() => process.exit(), LINGER_MS).unref();
}

/** The process ends when its last socket closes; if something holds it, it must end all the same. */
function dieAfterDeadline(log: RootLog): void {
  setTimeout(() => {
    log.error({}, 'did not stop in time');
    void log.flush().finally(() => process.kill(process.pid, 'SIGKILL'));
  }, STOP_DEADLINE_MS).unref();
}

/** What runs, and how to go on to what is real. */
function welcome({ discord, model }: Config, pageUrl: string): string {
  const lines = [
    discord.kind === 'sandbox'
      ? `Parley is running in a Discord of its own on this machine: open ${pageUrl} in a browser and talk with it.`
      : 'Parley is running on your Discord server and answers like an echo, for want of a model.',
  ];
  if (discord.kind === 'sandbox')
    lines.push('For a real Discord server set DISCORD_TOKEN; README.md has it step by step.');
  if (model.kind === 'sandbox') {
    lines.push('For a real model set AZURE_OPENAI_ENDPOINT and AZURE_OPENAI_DEPLOYMENT_NAME; README.md has that, too.');
  }
  return lines.join('\n');
}

/** For the person at the terminal; the log goes to standard output. */
function tell(text: string): void {
  process.stderr.write(`${text}\n`);
}
