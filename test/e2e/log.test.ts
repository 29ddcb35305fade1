import { expect, test } from 'vitest';

import { encodeVoiceMessage } from '../../src/audio/voice-message.ts';
import { now } from '../support/room.ts';
import { Scene } from '../support/scene.ts';
import { samplesOf } from '../support/sound.ts';

/** No word of these may be in the log, whoever said or wrote it. */
const SPOKEN_REPLY = 'Platypus pancakes are purple.';
const PROMPT = 'Do gerbils whistle zarzuelas?';
const MESSAGE_WORDS = ['platypus', 'pancakes', 'purple', 'gerbils', 'whistle', 'zarzuelas'];
const NAMES = ['Zebediah', 'zebediah-secret-diary'];

test('what is said and written, and what opens doors, is nowhere in the log', async () => {
  await using scene = await Scene.start();
  const { client, home: room } = scene;
  await client.setModel({ reply: SPOKEN_REPLY });
  const zeb = await client.createPerson({ guildId: room.guildId, name: 'Zebediah' });
  await client.join({ personId: zeb.id, channelId: room.voice.id });
  await room.call();

  // Everything that can go well.
  const said = await room.say(zeb, 'Hello there.');
  await room.replied(said);
  await room.ask(zeb, 'ask', { prompt: PROMPT });
  const voiceMessage = {
    name: 'zebediah-secret-diary.ogg',
    data: Buffer.from(encodeVoiceMessage(samplesOf(said.wav)).file).toString('base64'),
  };
  await room.ask(zeb, 'ask', { prompt: PROMPT, file: voiceMessage, reply: 'voice' });
  await room.message((message) => message.voiceMessage);

  // Everything that can go wrong where words are at hand.
  for (const fault of [
    { kind: 'status', status: 400 },
    { kind: 'filter-prompt' },
    { kind: 'no-end-marker', afterChunks: 2 },
    { kind: 'html' },
    { kind: 'html' },
    { kind: 'bad-json' },
  ] as const) {
    await client.modelFault({ fault, times: 1, endpoint: 'chat' });
    await room.ask(zeb, 'ask', { prompt: PROMPT });
  }
  await room.ask(zeb, 'ask', { prompt: PROMPT, file: { name: 'zebediah-secret-diary.txt', data: 'aGVsbG8=' } });
  await client.restFault({
    route: 'PATCH /webhooks',
    times: 1,
    status: 400,
    body: '{"message":"Invalid","code":50035}',
  });
  await room.run(zeb, 'ask', { prompt: PROMPT });
  await client.restFault({
    route: 'POST /channels/\\d+/messages',
    times: 1,
    status: 404,
    body: '{"message":"No","code":10003}',
  });
  await room.replied(await room.say(zeb, 'Hello there.'));
  await client.gatewayFault({ kind: 'cut' });
  await client.waitFor(({ type }) => type === 'bot-online', { since: now() });
  await client.voiceFault({ kind: 'close', code: 4006 });
  await room.leave();

  const log = scene.log.join('').toLowerCase();
  expect(scene.log.length).toBeGreaterThan(20);
  const { discord, model } = scene.sandbox;
  const doors = [discord.token, model.apiKey, model.identityHeader];
  for (const secret of [...MESSAGE_WORDS, ...NAMES, ...doors, 'secret_key']) {
    expect(log.includes(secret.toLowerCase()), `${secret} in the log`).toBe(false);
  }
  expect(log.match(/[a-z0-9+/]{200,}/g), 'sound').toBeNull();
  // Tokens of interactions are in the addresses of requests.
  const addresses = [...log.matchAll(/\/(?:webhooks|interactions)\/\d+\/([^"/\\ ]+)/g)].map(([, token]) => token);
  expect(addresses.filter((token) => token !== undefined && token.length > 20)).toEqual([]);
});
