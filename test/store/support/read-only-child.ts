import { once } from 'node:events';
import process from 'node:process';

import { openStore } from '../../../src/store/open-store.ts';
import { StoreError } from '../../../src/store/store-error.ts';
import { monotonicClock } from '../../../src/time/clock.ts';
import { becomes } from './health.ts';
import { ending, idsOf, incoming } from './turns.ts';

/** A process that may not write the file, says what the store says, and is told when it may: FILE KEY. */
const [file = '', keys = ''] = process.argv.slice(2);
await using store = openStore({ location: { kind: 'sqlite', file }, keys, clock: monotonicClock });
try {
  await store.turns.receive(incoming('during'));
} catch (error) {
  process.stdout.write(`${error instanceof StoreError ? error.kind : String(error)}\n`);
}
await once(process.stdin, 'data');
await becomes(store, 'ok');
await store.turns.record(incoming('after'), ending());
process.stdout.write(`${(await idsOf(store, 'channel-1')).join(',')}\n`);
process.stdin.destroy();
