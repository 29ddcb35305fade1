import process from 'node:process';

import { openStore, type StoreLocation } from '../../../src/store/open-store.ts';
import { monotonicClock } from '../../../src/time/clock.ts';
import { ending, incoming, SPEECH, utterance } from './turns.ts';

/**
 * A process that holds turns until it is killed, and says what was acknowledged: `received ID`, `ended ID`.
 * Arguments: the store as JSON, its key, a prefix for ids, how many turns (nothing: without end).
 */
const [json = '', keys = '', prefix = '', count = 'Infinity'] = process.argv.slice(2);
const location: StoreLocation = JSON.parse(json);
await using store = openStore({ location, keys, clock: monotonicClock });
await store.ready();
for (let index = 0; index < Number(count); index++) {
  const id = `${prefix}:${index}`;
  const utterances = [utterance({ text: `said in ${id}`, speech: SPEECH })];
  await store.turns.receive(incoming(id, { utterances }));
  // Writing to a pipe is synchronous on POSIX: who reads it knows no more and no less than what was acknowledged.
  process.stdout.write(`received ${id}\n`);
  await store.turns.advance(id, 'asked');
  await store.turns.advance(id, 'speaking');
  await store.turns.finish(id, ending({ reply: { text: `answered in ${id}`, audio: undefined } }));
  process.stdout.write(`ended ${id}\n`);
}
