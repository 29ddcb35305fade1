import { expect, test } from 'vitest';

import { FRAME_SAMPLES } from '../../src/audio/frame.ts';
import { ModelBusyError } from '../../src/model/errors.ts';
import type { Model } from '../../src/model/model.ts';
import { Reader } from '../../src/narration/reader.ts';
import { Recital } from '../../src/narration/recital.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { silentLog } from '../support/silent-log.ts';

const TEXT = 'The ferry leaves at nine.';
const STYLE = { voice: undefined };
const BUSY = { problem: { type: 'model', trouble: 'busy' } };
const { signal } = new AbortController();

/** A reader whose model asks for a wait before it reads. */
function readerAfter(...waitsMs: number[]) {
  const clock = new ManualClock();
  const respond: Model['respond'] = async function* () {
    const retryAfterMs = waitsMs.shift();
    if (retryAfterMs !== undefined) throw new ModelBusyError({ operatorHint: '', retryAfterMs });
    yield { type: 'transcript', delta: TEXT };
    yield { type: 'audio', frame: new Int16Array(FRAME_SAMPLES) };
  };
  return { clock, reader: new Reader({ model: { respond }, voice: 'alloy', clock, log: silentLog }) };
}

async function waited(clock: ManualClock, ms: number): Promise<void> {
  await expect.poll(() => clock.pending).toEqual([ms]);
  clock.advance(ms);
}

test('a passage of a narration waits a minute for a busy model', async () => {
  const { clock, reader } = readerAfter(60_000);
  const reading = reader.read(TEXT, STYLE, signal);
  await waited(clock, 60_000);
  await expect(reading).resolves.toMatchObject({ said: TEXT });
});

test('a model that wants to be left alone for longer is not waited for, and holds up nobody else', async () => {
  const { clock, reader } = readerAfter(60_001, 86_400_000, 86_400_000, 86_400_000);
  const readings = Array.from({ length: 4 }, () => reader.read(TEXT, STYLE, signal));
  await Promise.all(readings.map((reading) => expect(reading).rejects.toMatchObject(BUSY)));
  expect(clock.pending).toEqual([]);
  await expect(reader.read(TEXT, STYLE, signal)).resolves.toMatchObject({ said: TEXT });
});

test('whoever waits for the answer to a command waits ten seconds and no longer', async () => {
  const patient = readerAfter(10_000);
  using soon = new Recital(patient.reader, TEXT, STYLE, signal);
  await waited(patient.clock, 10_000);
  await soon.begun();

  using late = new Recital(readerAfter(10_001).reader, TEXT, STYLE, signal);
  await expect(late.begun()).rejects.toMatchObject(BUSY);
});
