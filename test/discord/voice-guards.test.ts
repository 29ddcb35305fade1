import {
  DAVESession,
  joinVoiceChannel,
  Networking,
  VoiceConnectionStatus,
  VoiceReceiver,
  VoiceUDPSocket,
  VoiceWebSocket,
  version,
} from '@discordjs/voice';
import { describe, expect, it } from 'vitest';

import { installVoiceGuards, VoiceFault } from '../../src/discord/voice-guards.ts';

/**
 * We rely on members that @discordjs/voice does not promise. When one of these tests fails after an upgrade, look at what
 * src/discord/voice-guards.ts and src/discord/voice-session.ts do with that member before changing the test.
 */
describe('what @discordjs/voice must be for our guards to hold', () => {
  it('is the version they were written for', () => {
    expect(version).toBe('0.19.2');
  });

  it.each([
    ['VoiceWebSocket', VoiceWebSocket.prototype, { onMessage: 1, setHeartbeatInterval: 1 }],
    ['Networking', Networking.prototype, { onWsOpen: 0, onWsPacket: 1, onWsBinary: 1, onWsClose: 1, setSpeaking: 1 }],
    ['VoiceReceiver', VoiceReceiver.prototype, { onWsPacket: 1, onUdpMessage: 1 }],
    ['VoiceUDPSocket', VoiceUDPSocket.prototype, { keepAlive: 0, send: 1 }],
    ['DAVESession', DAVESession.prototype, { decrypt: 2, recoverFromInvalidTransition: 1, processProposals: 2 }],
  ])('%s has the methods we wrap or call', (_name, prototype, methods) => {
    for (const [method, parameters] of Object.entries(methods)) {
      const found: unknown = Reflect.get(prototype, method);
      expect(found, method).toBeTypeOf('function');
      // A wrapped method takes any number of arguments.
      if (typeof found === 'function' && found.name !== 'guard') expect(found, method).toHaveLength(parameters);
    }
  });

  it('a connection asks its receiver for the handler of datagrams when UDP opens, not before', () => {
    const connection = join('1');
    const { receiver } = connection;
    expect(Object.hasOwn(receiver, 'onUdpMessage')).toBe(true);
    expect(Object.hasOwn(receiver, 'onWsPacket')).toBe(true);
    expect(receiver.connectionData).toEqual({});
    const bind: unknown = Reflect.get(connection, 'updateReceiveBindings');
    const heard: Buffer[] = [];
    receiver.onUdpMessage = (datagram) => heard.push(datagram);
    const udp = new VoiceUDPSocket({ ip: '127.0.0.1', port: 9 });
    if (typeof bind === 'function') Reflect.apply(bind, connection, [{ udp }]);
    udp.emit('message', Buffer.of(1));
    expect(heard).toEqual([Buffer.of(1)]);
    udp.destroy();
    connection.destroy();
  });

  it('an end-to-end encryption session says whether it is ready and which transition was its last', () => {
    const dave = new DAVESession(0, '1', '2', {});
    expect(dave).toMatchObject({ protocolVersion: 0, reinitializing: false, session: undefined });
    expect(dave).toHaveProperty('lastTransitionId', undefined);
    expect(dave.decrypt(Buffer.of(1), '3')).toEqual(Buffer.of(1));
  });
});

describe('installVoiceGuards', () => {
  it('wraps each entry point once, however often it is called', () => {
    installVoiceGuards();
    const before: unknown = Reflect.get(VoiceWebSocket.prototype, 'onMessage');
    installVoiceGuards();
    expect(Reflect.get(VoiceWebSocket.prototype, 'onMessage')).toBe(before);
  });

  it('turns what the library throws into a fault of that connection and of no other', () => {
    installVoiceGuards();
    const [one, other] = [join('1'), join('2')];
    const faults: [string, Error][] = [];
    one.on('error', (error) => faults.push(['one', error]));
    other.on('error', (error) => faults.push(['other', error]));
    const handle: unknown = Reflect.get(one.receiver, 'onWsPacket');
    if (typeof handle === 'function') Reflect.apply(handle, one.receiver, [{ op: 5 }]);
    expect(faults).toHaveLength(1);
    expect(faults[0]?.[0]).toBe('one');
    expect(faults[0]?.[1]).toBeInstanceOf(VoiceFault);
    expect(faults[0]?.[1]).toMatchObject({ where: 'VoiceReceiver.onWsPacket' });
    expect(other.state.status).toBe(VoiceConnectionStatus.Signalling);
    one.destroy();
    other.destroy();
  });

  it('keeps a keep-alive on a socket that was closed in the same tick from ending the process', async () => {
    installVoiceGuards();
    const udp = new VoiceUDPSocket({ ip: '127.0.0.1', port: 9 });
    const failed = new Promise<Error>((resolve) => udp.on('error', resolve));
    udp.destroy();
    await expect(failed).resolves.toBeInstanceOf(VoiceFault);
  });
});

/** A connection whose gateway never answers. */
function join(guildId: string) {
  return joinVoiceChannel({
    guildId,
    channelId: '10',
    group: 'guards',
    adapterCreator: () => ({ sendPayload: () => true, destroy: () => {} }),
  });
}
