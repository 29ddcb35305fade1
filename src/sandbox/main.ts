import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Sandbox } from './sandbox.ts';

/**
 * Runs a sandbox as a process of its own. When everything listens it prints one line of JSON: `controlUrl`, `discord`,
 * `model` and `caFile`, the certificate for `NODE_EXTRA_CA_CERTS`. SIGTERM and SIGINT end it.
 */
async function main(): Promise<void> {
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
  await using sandbox = await Sandbox.start();
  const folder = await mkdtemp(join(tmpdir(), 'parley-sandbox-'));
  try {
    const caFile = join(folder, 'ca.pem');
    await writeFile(caFile, sandbox.caPem);
    const { url, apiKey, identityHeader, deployments } = sandbox.model;
    const { controlUrl, discord } = sandbox;
    const ready = { controlUrl, discord, model: { url, apiKey, identityHeader, deployments }, caFile };
    process.stdout.write(`${JSON.stringify(ready)}\n`);
    await stopped;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

await main();
