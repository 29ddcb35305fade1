import { afterEach, beforeEach, expect, it } from 'vitest';

import { FRAME_SAMPLES } from '../../../src/audio/frame.ts';
import { encodeWav } from '../../../src/audio/wav.ts';
import type { VoiceService } from '../../../src/sandbox/voice/service.ts';
import { startVoiceServer } from '../../../src/sandbox/voice/voice-server.ts';
import { BareClient, discover } from './bare-client.ts';
import { ALICE, BOT, GUILD, member, sweep } from './raw-bot.ts';

let service: VoiceService;
let clients: DisposableStack;

beforeEach(async () => {
  clients = new DisposableStack();
  service = await startVoiceServer({ daveVersion: 0, emit: () => {}, onServerMoved: () => {} });
  service.addPerson(member(ALICE));
});

afterEach(async () => {
  clients.dispose();
  await service[Symbol.asyncDispose]();
});

async function connect(sessionId: string): Promise<BareClient> {
  const { token } = service.admitBot({ ...member(BOT), sessionId });
  const client = clients.use(await BareClient.connect(service));
  client.send(0, { server_id: GUILD, user_id: BOT, session_id: sessionId, token, max_dave_protocol_version: 1 });
  const { d } = await client.next(2);
  const { socket, port } = await discover(Number(d['port']), Number(d['ssrc']));
  clients.defer(() => socket.close());
  client.send(1, { protocol: 'udp', data: { address: '127.0.0.1', port, mode: 'aead_aes256_gcm_rtpsize' } });
  await client.next(4);
  return client;
}

const speak = () =>
  service.methods.speak({ personId: ALICE, wav: Buffer.from(encodeWav(sweep(60, 300))).toString('base64') });

it('a client is told who speaks once for each stretch of speech', async () => {
  const client = await connect('session');
  await speak();
  const { d } = await client.next(5);
  expect(d).toEqual({ user_id: ALICE, ssrc: expect.any(Number), speaking: 1 });
  await client.settled();
  expect(client.messages.filter(({ op }) => op === 5)).toEqual([]);
  await speak();
  expect((await client.next(5)).d).toEqual(d);
});

it('a client is told although another was told of the same speech, which never began', async () => {
  const first = await connect('first');
  const speech = speak();
  await first.next(5);
  await service.methods.stopSpeaking({ personId: ALICE });
  await speech;
  service.removeBot(GUILD);

  const second = await connect('second');
  using microphone = service.live.microphone(ALICE);
  microphone.gate = 'open';
  for (let frame = 0; frame < 5; frame += 1) microphone.push(new Int16Array(FRAME_SAMPLES).fill(1000));
  expect((await second.next(5)).d).toMatchObject({ user_id: ALICE });
});
