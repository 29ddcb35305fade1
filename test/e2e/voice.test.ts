import { afterAll, beforeAll, expect, test } from 'vitest';

import { Scene } from '../support/scene.ts';
import { FAITHFUL, likeness } from '../support/sound.ts';

let scene: Scene;

beforeAll(async () => {
  scene = await Scene.start();
  await scene.client.setModel({ reply: 'Good evening.' });
});

afterAll(async () => {
  await scene.expectManners();
  await scene[Symbol.asyncDispose]();
});

test.for([
  { daveVersion: 1, mode: 'aead_aes256_gcm_rtpsize' },
  { daveVersion: 1, mode: 'aead_xchacha20_poly1305_rtpsize' },
  { daveVersion: 0, mode: 'aead_aes256_gcm_rtpsize' },
  { daveVersion: 0, mode: 'aead_xchacha20_poly1305_rtpsize' },
] as const)('a turn there and back over DAVE $daveVersion and $mode', async ({ daveVersion, mode }) => {
  await scene.client.setVoiceDefaults({ modes: [mode], daveVersion, daveRequired: daveVersion === 1 });
  const room = await scene.furnish();
  await room.call();
  const ready = await scene.client.waitFor(({ type }) => type === 'bot-voice-ready', { since: room.calledAtMs });
  expect(ready).toMatchObject({ guildId: room.guildId, mode, daveVersion });

  const { said, reply } = await room.turn();
  expect(likeness(said.wav, reply.request.audio.at(-1)?.wav)).toBeGreaterThanOrEqual(FAITHFUL);
  expect(likeness(reply.request.reply?.wav, reply.heard.wav)).toBeGreaterThanOrEqual(FAITHFUL);
  await room.leave();
});

test('a network that loses, doubles and reorders packets does not keep the words from arriving', async () => {
  await scene.client.setVoiceDefaults({ modes: ['aead_aes256_gcm_rtpsize'], daveVersion: 1, daveRequired: true });
  const room = await scene.furnish();
  await room.call();
  await scene.client.setNetwork({ seed: 7, lossRate: 0.03, duplicateRate: 0.05, reorderRate: 0.05, jitterMs: 15 });
  const { said, reply } = await room.turn('Hello there, how are you this evening?');
  await scene.client.setNetwork({ seed: 7 });
  // What is lost stays lost; all else stands where it was spoken.
  expect(likeness(said.wav, reply.request.audio.at(-1)?.wav)).toBeGreaterThanOrEqual(0.85);
  expect(likeness(reply.request.reply?.wav, reply.heard.wav)).toBeGreaterThanOrEqual(FAITHFUL);
  await room.leave();
});
