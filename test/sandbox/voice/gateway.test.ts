import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { SandboxEvent } from '../../../src/sandbox/control/protocol.ts';
import type { VoiceService } from '../../../src/sandbox/voice/service.ts';
import { startVoiceServer } from '../../../src/sandbox/voice/voice-server.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { BareClient, discover } from './bare-client.ts';
import { ALICE, BOB, BOT, CAROL, GUILD, member } from './raw-bot.ts';

const SESSION = 'session';

let service: VoiceService;
let events: SandboxEvent[];
/** What an honest client identifies with. */
let identity: Record<string, unknown>;
let clients: DisposableStack;

beforeEach(async () => {
  events = [];
  clients = new DisposableStack();
  service = await startVoiceServer({ emit: (event) => events.push(event), onServerMoved: () => {} });
  service.addPerson(member(ALICE));
  const { token } = service.admitBot({ ...member(BOT), sessionId: SESSION });
  identity = { server_id: GUILD, user_id: BOT, session_id: SESSION, token, max_dave_protocol_version: 1 };
});

afterEach(async () => {
  clients.dispose();
  await service[Symbol.asyncDispose]();
});

async function connect(): Promise<BareClient> {
  return clients.use(await BareClient.connect(service));
}

async function identified(): Promise<BareClient> {
  const client = await connect();
  client.send(0, identity);
  return client;
}

/** A session that can send and receive. */
async function ready(): Promise<BareClient> {
  const client = await identified();
  const { d } = await client.next(2);
  const { socket } = await discover(Number(d['port']), Number(d['ssrc']));
  clients.defer(() => socket.close());
  client.send(1, { protocol: 'udp', data: { address: '127.0.0.1', port: 1, mode: 'aead_aes256_gcm_rtpsize' } });
  await client.next(4);
  return client;
}

function resume(changes: Record<string, unknown> = {}): Record<string, unknown> {
  const { server_id, session_id, token } = identity;
  return { server_id, session_id, token, ...changes };
}

function codesOf(type: 'bot-voice-gone'): number[] {
  return events.flatMap((event) => (event.type === type ? event.code : []));
}

describe('the voice gateway refuses', () => {
  const say = (op: number, d: () => unknown) => (client: BareClient) => client.send(op, d());
  const afterwards = (op: number, d: unknown) => async (client: BareClient) => {
    client.send(0, identity);
    await client.next(2);
    client.send(op, d);
  };

  it.each<[code: number, what: string, act: (client: BareClient) => void | Promise<void>]>([
    [4001, 'an opcode that does not exist', afterwards(99, {})],
    [4002, 'what is no JSON', (client) => client.raw('{"op":')],
    [4002, 'what has no opcode', (client) => client.raw('[]')],
    [4003, 'sound before the identification', say(5, () => ({ speaking: 1 }))],
    [4004, 'a guild without a call', say(0, () => ({ ...identity, server_id: '1' }))],
    [4004, 'somebody else', say(0, () => ({ ...identity, user_id: ALICE }))],
    [4005, 'a second identification', afterwards(0, {})],
    [4006, 'a wrong token', say(0, () => ({ ...identity, token: 'guessed' }))],
    [4006, 'a wrong session', say(0, () => ({ ...identity, session_id: 'guessed' }))],
    [4006, 'the resumption of no session', say(7, () => resume({ seq_ack: -1 }))],
    [4012, 'another protocol', afterwards(1, { protocol: 'webrtc', data: {} })],
    [4016, 'a cipher of old', afterwards(1, { protocol: 'udp', data: { mode: 'xsalsa20_poly1305' } })],
    [4017, 'a client without DAVE', say(0, () => ({ ...identity, max_dave_protocol_version: 0 }))],
  ])('with %i %s', async (code, _what, act) => {
    const client = await connect();
    await act(client);
    expect(await client.closed).toBe(code);
  });
});

describe('a session on the voice gateway', () => {
  it('opens with who is here and keeps telling', async () => {
    const client = await connect();
    expect((await client.next(8)).d).toMatchObject({ v: 8, heartbeat_interval: expect.any(Number) });
    client.send(3, { t: 123, seq_ack: 0 });
    expect((await client.next(6)).d).toEqual({ t: 123 });

    client.send(0, identity);
    const { d } = await client.next(2);
    expect(d).toMatchObject({ ip: '127.0.0.1', modes: ['aead_aes256_gcm_rtpsize', 'aead_xchacha20_poly1305_rtpsize'] });
    expect((await client.next(11)).d).toEqual({ user_ids: [ALICE] });
    service.addPerson(member(BOB));
    expect((await client.next(11)).d).toEqual({ user_ids: [BOB] });
    service.removePerson(GUILD, BOB);
    expect((await client.next(13)).d).toEqual({ user_id: BOB });

    const { socket, reply, port } = await discover(Number(d['port']), Number(d['ssrc']));
    clients.defer(() => socket.close());
    expect(reply.readUInt16BE(0)).toBe(2);
    expect(reply.subarray(8, reply.indexOf(0, 8)).toString()).toBe('127.0.0.1');
    expect(reply.readUInt16BE(72)).toBe(port);

    client.send(1, { protocol: 'udp', data: { address: '127.0.0.1', port, mode: 'aead_xchacha20_poly1305_rtpsize' } });
    const description = await client.next(4);
    expect(description.d).toMatchObject({ mode: 'aead_xchacha20_poly1305_rtpsize', dave_protocol_version: 1 });
    expect(description.d['secret_key']).toHaveLength(32);
  });

  it('is resumed with exactly what the client has missed', async () => {
    const client = await identified();
    const { seq } = await client.next(11);
    client.break();
    await client.closed;
    service.addPerson(member(BOB));
    service.addPerson(member(CAROL));
    service.removePerson(GUILD, BOB);

    const again = await connect();
    again.send(7, resume({ seq_ack: seq }));
    await again.next(9);
    await again.settled();
    expect(again.messages.map(({ op, d, seq }) => [op, d['user_ids'] ?? d['user_id'], seq])).toEqual([
      [11, [BOB], Number(seq) + 1],
      [11, [CAROL], Number(seq) + 2],
      [13, BOB, Number(seq) + 3],
    ]);

    const liar = await connect();
    liar.send(7, resume({ seq_ack: 9999 }));
    expect(await liar.closed).toBe(4006);
  });

  it('that another one replaces is over, and the other can be resumed', async () => {
    const first = await identified();
    await first.next(2);
    const second = await identified();
    const { seq } = await second.next(11);
    expect(await first.closed).toBe(4006);

    second.break();
    const again = await connect();
    again.send(7, resume({ seq_ack: seq }));
    await again.next(9);
    expect(codesOf('bot-voice-gone')).toEqual([4006, 1006]);
  });

  it('that is lost is told of once, and is over when the token has become void', async () => {
    const client = await identified();
    const { seq } = await client.next(11);
    await service.methods.voiceFault({ kind: 'cut' });
    await service.methods.voiceFault({ kind: 'cut' });
    expect(codesOf('bot-voice-gone')).toEqual([1006]);

    await service.methods.voiceFault({ kind: 'close', code: 4006 });
    const again = await connect();
    again.send(7, resume({ seq_ack: seq }));
    expect(await again.closed).toBe(4006);
    const anew = await connect();
    anew.send(0, identity);
    expect(await anew.closed).toBe(4006);
    expect(codesOf('bot-voice-gone')).toEqual([1006]);
  });

  it('is ready only when it is in the encrypted group', async () => {
    const client = await ready();
    await client.settled();
    expect(events.map(({ type }) => type)).not.toContain('bot-voice-ready');
    // Alone there is no group to be in.
    service.removePerson(GUILD, ALICE);
    expect(events).toContainEqual(expect.objectContaining({ type: 'bot-voice-ready', daveVersion: 1 }));
  });
});

describe('a session in time', () => {
  it('moves to the other server with a new token; the old server ends it when it does not come', async () => {
    const clock = new ManualClock();
    const moved: [string, string, string][] = [];
    const onServerMoved = (...place: [string, string, string]) => moved.push(place);
    await using other = await startVoiceServer({ clock, emit: () => {}, onServerMoved });
    const { token } = other.admitBot({ ...member(BOT), sessionId: SESSION });
    const old = clients.use(await BareClient.connect(other));
    old.send(0, { ...identity, token });
    await old.next(2);
    const { endpoint } = other;

    for (const round of [0, 1]) {
      await other.methods.voiceFault({ kind: 'move-server' });
      expect(moved[round]).toEqual([GUILD, expect.any(String), other.endpoint]);
      expect(other.endpoint === endpoint).toBe(round === 1);
    }
    const stale = clients.use(await BareClient.connect(other));
    stale.send(0, { ...identity, token });
    expect(await stale.closed).toBe(4006);
    clock.advance(5000);
    expect(await old.closed).toBe(4022);

    const late = clients.use(await BareClient.connect(other));
    late.send(0, { ...identity, token: moved[1]?.[1] });
    await late.next(2);
  });

  it('can be resumed for half a minute', async () => {
    const clock = new ManualClock();
    const gone: number[] = [];
    const emit = (event: SandboxEvent) => event.type === 'bot-voice-gone' && gone.push(event.code);
    await using other = await startVoiceServer({ clock, emit, onServerMoved: () => {} });
    const { token } = other.admitBot({ ...member(BOT), sessionId: SESSION });
    const client = clients.use(await BareClient.connect(other));
    client.send(0, { ...identity, token });
    const { seq } = await client.next(2);
    for (const [afterMs, resumed] of [
      [29_000, true],
      [31_000, false],
    ] as const) {
      await other.methods.voiceFault({ kind: 'cut' });
      clock.advance(afterMs);
      const again = clients.use(await BareClient.connect(other));
      again.send(7, resume({ token, seq_ack: seq }));
      if (resumed) await again.next(9);
      else expect(await again.closed).toBe(4006);
    }
    expect(gone).toEqual([1006, 1006]);
  });
});
