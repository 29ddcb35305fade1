import { describe, expect, test } from 'vitest';

import { decodeWav } from '../../../src/audio/wav.ts';
import { toInt16 } from '../../../src/audio/pcm.ts';
import type { SandboxEvent } from '../../../src/sandbox/control/protocol.ts';
import { RequestLog } from '../../../src/sandbox/model/records.ts';
import { Synthesizer } from '../../../src/sandbox/speech.ts';
import { monotonicClock } from '../../../src/time/clock.ts';
import { audioPart, hear, spoken, startModelWorld } from './model-world.ts';

const samples = (base64: string | undefined) => toInt16(decodeWav(Buffer.from(base64 ?? '', 'base64')).channels[0]!);

test('what was asked and answered can be looked at', async () => {
  await using synthesizer = new Synthesizer();
  await using world = await startModelWorld(synthesizer);
  await world.server.methods.setModel({ firstAudioMs: 20, speed: 100 });
  const sound = Int16Array.from({ length: 24_000 }, (_, i) => 5_000 * Math.sin(i / 20));
  const content = [{ type: 'text' as const, text: 'Alice:' }, audioPart(sound)];
  const heard = await hear(world.clients.dated, spoken([{ role: 'user', content }]));
  await world.seen('model-ended');

  const record = await world.lastRequest();
  expect(record).toMatchObject({
    endpoint: 'chat',
    path: '/openai/deployments/gpt-audio-1.5/chat/completions?api-version=2025-01-01-preview',
    status: 200,
    abandoned: false,
    body: {
      messages: [
        {
          role: 'user',
          content: [content[0], { type: 'input_audio', input_audio: { format: 'wav', data: { audio: 0 } } }],
        },
      ],
    },
    audio: [{ format: 'wav', bytes: 48_044 }],
    reply: { text: heard.transcript, audioId: heard.audioId },
  });
  expect(samples(record.audio[0]?.wav)).toEqual(sound);
  expect(samples(record.reply?.wav)).toEqual(heard.samples);
  const times = [record.atMs, record.firstByteAtMs, record.firstAudioAtMs, record.endedAtMs];
  expect(times).toEqual(times.toSorted((a, b) => a! - b!));

  expect(world.events).toEqual([
    { type: 'model-request', atMs: record.atMs, requestId: record.id, endpoint: 'chat' },
    { type: 'model-first-audio', atMs: record.firstAudioAtMs, requestId: record.id },
    { type: 'model-ended', atMs: record.endedAtMs, requestId: record.id, abandoned: false },
  ]);
  await hear(world.clients.dated, spoken([{ role: 'user', content: 'Again.' }]));
  expect(await world.server.methods.modelRequests({ sinceMs: record.atMs + 0.001 })).toHaveLength(1);
  expect(await world.server.methods.modelRequests({})).toHaveLength(2);
});

const begin = (log: RequestLog, seconds: number) => {
  const entry = log.begin('chat', '/', 10);
  const bytes = new Uint8Array(seconds * 48_000);
  entry.audio = [{ format: 'wav', bytes, samples: undefined }];
  return entry;
};

const nothing = (_event: SandboxEvent): void => undefined;

describe('memory', () => {
  test('is 2,000 requests, and the sound of the newest 200', () => {
    const log = new RequestLog(monotonicClock, nothing);
    for (let i = 0; i < 2_050; i++) begin(log, 0.01);
    const records = log.snapshots(0);
    expect(records).toHaveLength(2_000);
    expect(records[0]?.id).toBe('request-51');
    expect(records.filter(({ audio }) => audio[0]?.wav !== '')).toHaveLength(200);
    expect(records.at(-1)?.audio[0]?.wav).not.toBe('');
  });

  test('is less of them when the sound is long, but always the newest', () => {
    const log = new RequestLog(monotonicClock, nothing);
    for (let i = 0; i < 10; i++) begin(log, 600);
    const kept = log.snapshots(0).map(({ audio }) => audio[0]?.wav !== '');
    expect(kept.filter(Boolean).length).toBeGreaterThan(1);
    expect(kept.filter(Boolean).length).toBeLessThan(7);
    expect(kept.at(-1)).toBe(true);
  });
});
