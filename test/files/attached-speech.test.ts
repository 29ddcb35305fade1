import { describe, expect, it } from 'vitest';

import { encodeWav } from '../../src/audio/wav.ts';
import { AttachedSpeech } from '../../src/files/attached-speech.ts';
import { UserError } from '../../src/language/user-error.ts';
import { monotonicClock } from '../../src/time/clock.ts';
import { noise } from '../audio/sounds.ts';
import { serve } from './file-server.ts';

const { signal } = new AbortController();

describe('AttachedSpeech', () => {
  it('takes a file from its link to what the model hears', async () => {
    const wav = encodeWav(noise(24_000, 5000));
    await using server = await serve((_, response) => response.end(wav));
    const attached = new AttachedSpeech({
      hosts: [{ protocol: 'http:', host: server.host }],
      clock: monotonicClock,
      ffmpeg: 'ffmpeg',
    });
    const speech = await attached.speechOf({ url: `${server.url}/voice.wav`, name: 'voice.wav' }, signal);
    expect(speech).toMatchObject({ format: 'wav', durationMs: 1000 });
    expect(Buffer.from(speech.data)).toEqual(Buffer.from(wav));
  });

  it('tells the person which file it was and what is wrong with it', async () => {
    await using server = await serve((_, response) => response.end('just a text'));
    const attached = new AttachedSpeech({
      hosts: [{ protocol: 'http:', host: server.host }],
      clock: monotonicClock,
      ffmpeg: 'ffmpeg',
    });
    const error: unknown = await attached
      .speechOf({ url: `${server.url}/song.mp3`, name: 'song.mp3' }, signal)
      .catch((reason: unknown) => reason);
    expect(error instanceof UserError && error.problem).toEqual({
      type: 'file',
      trouble: 'unsupported',
      fileName: 'song.mp3',
    });
  });

  it('refuses at once when too many files are waiting, and serves the ones before', async () => {
    const wav = encodeWav(noise(2400, 5000));
    const { promise: opened, resolve: open } = Promise.withResolvers<void>();
    await using server = await serve((_, response) => void opened.then(() => response.end(wav)));
    const attached = new AttachedSpeech({
      hosts: [{ protocol: 'http:', host: server.host }],
      clock: monotonicClock,
      ffmpeg: 'ffmpeg',
    });
    const take = () => attached.speechOf({ url: server.url, name: 'voice.wav' }, signal);
    const served = Array.from({ length: 10 }, take);
    const error: unknown = await take().catch((reason: unknown) => reason);
    expect(error instanceof UserError && error.problem).toEqual({ type: 'plain', id: 'busy' });
    open();
    expect(await Promise.all(served)).toHaveLength(10);
  });
});
