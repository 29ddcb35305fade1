import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';

import { startApp } from '../app.ts';
import { parseConfig } from '../config/config.ts';
import { SandboxClient } from '../sandbox/control/client.ts';
import { createLogger } from '../telemetry/logger.ts';
import { playDemo } from './script.ts';
import { Story } from './story.ts';

/** The demo ends within a minute; something is wrong when it takes longer. */
const DEADLINE_MS = 90_000;

process.exitCode = await demo();

async function demo(): Promise<number> {
  const folder = join('demo-output', new Date().toISOString().replaceAll(':', '-').slice(0, 19));
  await mkdir(folder, { recursive: true });
  const logFile = createWriteStream(join(folder, 'parley.log'));
  const log = createLogger({ level: 'debug', destination: logFile, secrets: [] });
  const story = new Story((line) => void process.stdout.write(`${line}\n`));
  const stop = new AbortController();
  const deadline = wait(DEADLINE_MS, undefined, { ref: false, signal: stop.signal }).then(
    () => {
      throw new Error('the demo took too long');
    },
    () => {},
  );
  try {
    await using app = await startApp(parseConfig({ DATABASE_URL: ':memory:' }), log, stop.signal, (error) =>
      stop.abort(error),
    );
    if (!app.sandbox) throw new Error('the demo needs the sandbox');
    await using client = await SandboxClient.connect(app.sandbox.controlUrl);
    await Promise.race([playDemo({ client, story, folder, botId: app.botId }), deadline]);
  } catch (error) {
    story.holds(false, error instanceof Error ? error.message : 'the demo ran to its end');
    log.error({ err: error }, 'demo failed');
  } finally {
    stop.abort();
    await writeFile(join(folder, 'conversation.md'), story.markdown);
    logFile.end();
  }
  process.stdout.write(`\nWhat was heard, the conversation and the log are in ${folder}/\n`);
  process.stdout.write(
    story.failures.length === 0
      ? 'Everything held.\n'
      : `${story.failures.length} did not hold: ${story.failures.join('; ')}\n`,
  );
  return story.failures.length === 0 ? 0 : 1;
}
