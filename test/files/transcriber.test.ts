import { readFileSync } from 'node:fs';

import { beforeAll, describe, expect, it } from 'vitest';

import { Mp3Encoder } from '../../src/audio/mp3.ts';
import { concatSamples } from '../../src/audio/pcm.ts';
import { encodeWav } from '../../src/audio/wav.ts';
import { Transcriber, type TranscribedFile, type TranscriptionEvent } from '../../src/files/transcriber.ts';
import type { TranscriptPart } from '../../src/files/transcript.ts';
import { UserError } from '../../src/language/user-error.ts';
import { FILE_FORMATS, type Model, type Recording } from '../../src/model/model.ts';
import { monotonicClock } from '../../src/time/clock.ts';
import { silence, spoken } from '../audio/sounds.ts';
import { silentLog } from '../support/silent-log.ts';
import { serve, type FileServer } from './file-server.ts';

/** Five words with pauses between them: five pieces as cues. */
const PIECES = 5;
let file: Uint8Array;
beforeAll(async () => {
  const word = await spoken('Tomorrow morning.');
  file = encodeWav(concatSamples(Array.from({ length: PIECES }, () => [word, silence(1500)]).flat()));
});

/** Says which piece it is, by when it was asked. */
class CountingModel implements Pick<Model, 'transcribe'> {
  asked = 0;

  async *transcribe(): ReturnType<Model['transcribe']> {
    yield { type: 'done', text: `piece ${this.asked++}` };
  }
}

function transcriberFor(server: FileServer, model = new CountingModel()): Transcriber {
  const hosts = [{ protocol: 'http:', host: server.host }];
  return new Transcriber({
    model,
    fileFormats: [],
    hosts,
    ffmpeg: '/nowhere/ffmpeg',
    clock: monotonicClock,
    log: silentLog,
  });
}

async function transcribed(
  transcriber: Transcriber,
  attached: TranscribedFile,
  done: ReadonlyMap<number, readonly TranscriptPart[]> = new Map(),
): Promise<{ words: string[]; kept: Map<number, readonly TranscriptPart[]> }> {
  const kept = new Map<number, readonly TranscriptPart[]>();
  const pieces = { done, keep: async (index: number, parts: readonly TranscriptPart[]) => void kept.set(index, parts) };
  const { signal } = new AbortController();
  const options = { language: undefined, cutting: 'cues' } as const;
  const events: TranscriptionEvent[] = await Array.fromAsync(transcriber.transcribe(attached, options, pieces, signal));
  return { words: events.flatMap((event) => (event.type === 'part' ? [event.part.text] : [])), kept };
}

describe('Transcriber', () => {
  it('keeps each piece, and asks again for none that was kept, gaps included', async () => {
    await using server = await serve((_, response) => response.end(file));
    const attached = { url: `${server.url}/a.wav`, name: 'a.wav' };
    const { words, kept } = await transcribed(transcriberFor(server), attached);
    expect(words).toEqual(['piece 0', 'piece 1', 'piece 2', 'piece 3', 'piece 4']);
    expect([...kept.keys()].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4]);
    const model = new CountingModel();
    const done = new Map([...kept].filter(([index]) => index !== 2 && index !== 4));
    const again = await transcribed(transcriberFor(server, model), attached, done);
    expect(again.words).toEqual(['piece 0', 'piece 1', 'piece 0', 'piece 3', 'piece 1']);
    expect([...again.kept.keys()]).toEqual([2, 4]);
    const times = (parts: readonly TranscriptPart[] | undefined) =>
      parts?.map(({ startMs, endMs }) => ({ startMs, endMs }));
    for (const index of [2, 4]) expect(times(again.kept.get(index))).toEqual(times(kept.get(index)));
  });

  it('asks nothing when all was kept', async () => {
    await using server = await serve((_, response) => response.end(file));
    const attached = { url: `${server.url}/a.wav`, name: 'a.wav' };
    const { words, kept } = await transcribed(transcriberFor(server), attached);
    const model = new CountingModel();
    expect((await transcribed(transcriberFor(server, model), attached, kept)).words).toEqual(words);
    expect(model.asked).toBe(0);
  });

  it('fetches a file whose link has expired by a new one, and says so where there is none', async () => {
    await using server = await serve((request, response) => {
      response.writeHead(request.url === '/new' ? 200 : 404).end(file);
    });
    const expired = { url: `${server.url}/old`, name: 'memo.wav' };
    const fresh = { ...expired, freshUrl: async () => `${server.url}/new` };
    expect((await transcribed(transcriberFor(server), fresh)).words).toHaveLength(PIECES);
    for (const attached of [expired, { ...expired, freshUrl: async () => undefined }]) {
      const failing = transcribed(transcriberFor(server), attached);
      await expect(failing).rejects.toThrow(UserError);
      await expect(failing).rejects.toMatchObject({ problem: { trouble: 'gone', fileName: 'memo.wav' } });
    }
  });

  it('has the endpoint write down as it is what cannot be decoded here, where it takes such files', async () => {
    const m4a = readFileSync(new URL('fixtures/speech.m4a', import.meta.url));
    await using server = await serve((_, response) => response.end(m4a));
    const attached = { url: `${server.url}/memo.m4a`, name: 'memo.m4a' };
    const sent: Recording[] = [];
    const model: Pick<Model, 'transcribe'> = {
      async *transcribe(recording) {
        sent.push(recording);
        const passages = [{ startMs: 100, endMs: 900, text: 'Good morning.' }];
        yield { type: 'done', text: 'Good morning.', passages };
      },
    };
    const hosts = [{ protocol: 'http:', host: server.host }];
    const parts = { model, hosts, ffmpeg: '/nowhere/ffmpeg', clock: monotonicClock, log: silentLog };
    const events = await transcribed(new Transcriber({ ...parts, fileFormats: FILE_FORMATS }), attached);
    expect(events.words).toEqual(['Good morning.']);
    expect(sent).toEqual([{ format: 'm4a', data: m4a }]);
    const refused = transcribed(new Transcriber({ ...parts, fileFormats: [] }), attached);
    await expect(refused).rejects.toMatchObject({ problem: { trouble: 'needs-ffmpeg', fileName: 'memo.m4a' } });
  });

  it('sends a short mp3 as it is, and keeps the times that the endpoint tells within the sound', async () => {
    const word = await spoken('Tomorrow morning.');
    const encoder = (await Mp3Encoder.load())();
    const mp3 = Buffer.concat([encoder.encode(concatSamples([silence(500), word])), encoder.finish()]);
    await using server = await serve((_, response) => response.end(mp3));
    const sent: Recording[] = [];
    const model: Pick<Model, 'transcribe'> = {
      async *transcribe(recording) {
        sent.push(recording);
        const passages = [
          { startMs: 0, endMs: 700, text: 'Tomorrow' },
          { startMs: 700, endMs: 60_000, text: 'morning.' },
        ];
        yield { type: 'done', text: 'Tomorrow morning.', passages };
      },
    };
    const hosts = [{ protocol: 'http:', host: server.host }];
    const parts = { model, fileFormats: [], hosts, ffmpeg: '/nowhere/ffmpeg', clock: monotonicClock, log: silentLog };
    const { kept } = await transcribed(new Transcriber(parts), { url: `${server.url}/a.mp3`, name: 'a.mp3' });
    expect(sent.map(({ data }) => Buffer.from(data))).toEqual([mp3]);
    const [first, second] = kept.get(0) ?? [];
    expect(first?.startMs).toBeGreaterThan(350);
    expect(first?.endMs).toBe(700);
    expect(second?.endMs).toBeLessThan(500 + word.length / 24 + 150);
  });
});
