import { afterEach, describe, expect, it } from 'vitest';

import { correlate } from '../../src/audio/similarity.ts';
import { seededRandom } from './support/sealed-packet.ts';
import { babble, Ear, VoiceRoom } from './support/voice-room.ts';

const ALICE = { id: '11', name: 'Alice' };
const BOB = { id: '12', name: 'Bob' };
const PEOPLE = [ALICE, BOB];

describe('what a link hears', () => {
  let room: VoiceRoom;
  afterEach(() => room[Symbol.asyncDispose]());

  it.each([
    { daveVersion: 1, mode: 'aead_aes256_gcm_rtpsize' },
    { daveVersion: 1, mode: 'aead_xchacha20_poly1305_rtpsize' },
    { daveVersion: 0, mode: 'aead_aes256_gcm_rtpsize' },
    { daveVersion: 0, mode: 'aead_xchacha20_poly1305_rtpsize' },
  ] as const)('is what was spoken, with DAVE $daveVersion and $mode', async ({ daveVersion, mode }) => {
    room = await VoiceRoom.start(daveVersion);
    await room.voice.methods.setVoiceDefaults({ modes: [mode], daveVersion });
    room.addPerson(ALICE.id);
    const link = await room.join();
    await room.ready();
    expect(room.events.find(({ type }) => type === 'bot-voice-ready')).toMatchObject({ mode, daveVersion });
    await using ear = new Ear(room, link, PEOPLE);
    const spoken = babble(600);
    const { voicePackets } = await room.speak(ALICE.id, spoken);
    await ear.heard(ALICE.id);
    expect(ear.frames).toHaveLength(voicePackets);
    expect(ear.frames.every(({ concealed }) => !concealed)).toBe(true);
    expect(correlate(spoken, ear.sound(ALICE.id)).correlation).toBeGreaterThan(0.95);
  });

  it('is each of two people who speak at once, apart', async () => {
    room = await VoiceRoom.start();
    room.addPerson(ALICE.id);
    room.addPerson(BOB.id);
    const link = await room.join();
    await room.ready();
    await using ear = new Ear(room, link, PEOPLE);
    const [low, high] = [babble(600), babble(600, 260)];
    await Promise.all([room.speak(ALICE.id, low), room.speak(BOB.id, high)]);
    await Promise.all([ear.heard(ALICE.id), ear.heard(BOB.id)]);
    expect(correlate(low, ear.sound(ALICE.id)).correlation).toBeGreaterThan(0.95);
    expect(correlate(high, ear.sound(BOB.id)).correlation).toBeGreaterThan(0.95);
  });

  it('is somebody who joins in the middle, from their first packet on, while another speaks on', async () => {
    room = await VoiceRoom.start();
    room.addPerson(ALICE.id);
    const link = await room.join();
    await room.ready();
    await using ear = new Ear(room, link, PEOPLE);
    const [long, short] = [babble(1200), babble(400, 260)];
    const aliceSpeaks = room.speak(ALICE.id, long);
    await room.until(() => ear.count('frame', ALICE.id) > 10, 'speech');
    room.addPerson(BOB.id);
    const [fromAlice, fromBob] = await Promise.all([aliceSpeaks, room.speak(BOB.id, short)]);
    await Promise.all([ear.heard(ALICE.id), ear.heard(BOB.id)]);
    expect(ear.count('frame', ALICE.id)).toBe(fromAlice.voicePackets);
    expect(ear.count('frame', BOB.id)).toBe(fromBob.voicePackets);
    expect(correlate(long, ear.sound(ALICE.id)).correlation).toBeGreaterThan(0.95);
    expect(correlate(short, ear.sound(BOB.id)).correlation).toBeGreaterThan(0.95);
  });

  it('is nobody who may not be heard', async () => {
    room = await VoiceRoom.start();
    room.addPerson(ALICE.id);
    room.addPerson(BOB.id);
    const link = await room.join();
    await room.ready();
    await using ear = new Ear(room, link, [BOB]);
    await Promise.all([room.speak(ALICE.id, babble(200)), room.speak(BOB.id, babble(300))]);
    await ear.heard(BOB.id);
    expect(ear.events.every(({ speaker }) => speaker.id === BOB.id)).toBe(true);
    expect(link.packetCounts['not-wanted']).toBeGreaterThan(10);
  });

  it('keeps its length and sound over a network that loses, doubles and reorders', async () => {
    room = await VoiceRoom.start();
    room.addPerson(ALICE.id);
    const link = await room.join();
    await room.ready();
    await using ear = new Ear(room, link, PEOPLE);
    await room.voice.methods.setNetwork({
      seed: 3,
      lossRate: 0.05,
      duplicateRate: 0.05,
      reorderRate: 0.1,
      jitterMs: 20,
    });
    const spoken = babble(1600);
    const { voicePackets } = await room.speak(ALICE.id, spoken);
    await ear.heard(ALICE.id);
    expect(Math.abs(ear.frames.length - voicePackets)).toBeLessThanOrEqual(1);
    expect(ear.frames.filter(({ concealed }) => concealed).length).toBeGreaterThan(0);
    expect(link.packetCounts.replay).toBeGreaterThan(0);
    expect(correlate(spoken, ear.sound(ALICE.id)).correlation).toBeGreaterThan(0.9);
  });

  it('has the head of speech whose opcode 5 comes 400 ms late', async () => {
    room = await VoiceRoom.start();
    room.addPerson(ALICE.id);
    const link = await room.join();
    await room.ready();
    await using ear = new Ear(room, link, PEOPLE);
    await room.voice.methods.voiceFault({ kind: 'late-speaking', delayMs: 400, times: 1 });
    const spoken = babble(600);
    const { voicePackets, firstPacketAtMs } = await room.speak(ALICE.id, spoken);
    await ear.heard(ALICE.id);
    expect(ear.frames).toHaveLength(voicePackets);
    expect(ear.frames[0]?.atMs).toBeLessThan(firstPacketAtMs + 50);
    expect(correlate(spoken, ear.sound(ALICE.id)).correlation).toBeGreaterThan(0.95);
  });

  it('loses no more than the packets whose transport key is wrong', async () => {
    room = await VoiceRoom.start();
    room.addPerson(ALICE.id);
    const link = await room.join();
    await room.ready();
    await using ear = new Ear(room, link, PEOPLE);
    const speaking = room.speak(ALICE.id, babble(800));
    await room.until(() => ear.frames.length > 5, 'speech');
    await room.voice.methods.voiceFault({ kind: 'wrong-key', layer: 'transport', times: 10 });
    const { voicePackets } = await speaking;
    await ear.heard(ALICE.id);
    expect(link.packetCounts['auth-fail']).toBe(10);
    expect(ear.frames).toHaveLength(voicePackets);
    expect(ear.frames.filter(({ concealed }) => concealed)).toHaveLength(10);
  });

  it('comes back by new group keys after 37 packets whose end-to-end key is wrong', async () => {
    room = await VoiceRoom.start();
    room.addPerson(ALICE.id);
    const link = await room.join();
    await room.ready();
    await using ear = new Ear(room, link, PEOPLE);
    await room.speak(ALICE.id, babble(100));
    await ear.heard(ALICE.id);
    await room.voice.methods.voiceFault({ kind: 'wrong-key', layer: 'dave', times: 45 });
    await room.speak(ALICE.id, babble(900));
    await room.voice.methods.voiceFault({ kind: 'wrong-key', layer: 'dave', times: 0 });
    expect(room.warnings).toMatchObject([{ message: 'member cannot be decrypted', fields: { step: 'new-keys' } }]);
    const before = ear.sound(ALICE.id).length;
    const stretches = ear.count('silence', ALICE.id);
    const spoken = babble(500, 260);
    await room.speak(ALICE.id, spoken);
    await ear.heard(ALICE.id, stretches + 1);
    expect(correlate(spoken, ear.sound(ALICE.id).subarray(before)).correlation).toBeGreaterThan(0.95);
    expect(room.joins).toBe(1);
    expect(room.states.map(({ status }) => status)).toEqual(['connecting', 'ready']);
  });

  it('goes on when the call is downgraded and upgraded again', async () => {
    room = await VoiceRoom.start();
    room.addPerson(ALICE.id);
    const link = await room.join();
    await room.ready();
    await using ear = new Ear(room, link, PEOPLE);
    for (const version of [0, 1] as const) {
      await room.voice.methods.voiceFault({ kind: 'dave-version', version });
      const spoken = babble(400);
      const before = ear.sound(ALICE.id).length;
      await room.speak(ALICE.id, spoken);
      await ear.heard(ALICE.id, version === 0 ? 1 : 2);
      expect(correlate(spoken, ear.sound(ALICE.id).subarray(before)).correlation).toBeGreaterThan(0.95);
    }
    expect(room.joins).toBe(1);
  });

  it.each(['stranger', 'server'] as const)('is unharmed by 2,000 hostile datagrams from a %s', async (from) => {
    room = await VoiceRoom.start();
    room.addPerson(ALICE.id);
    const link = await room.join();
    await room.ready();
    await using ear = new Ear(room, link, PEOPLE);
    const spoken = babble(800);
    const speaking = room.speak(ALICE.id, spoken);
    await room.until(() => ear.frames.length > 2, 'speech');
    const ssrc = 1_000_000;
    for (let batch = 1; batch <= 20; batch++) {
      await room.voice.methods.voiceFault({ kind: 'datagrams', from, data: hostile(100, batch, ssrc) });
      // More at once would overflow the kernel's buffer, and speech with it.
      const refused = () => sum(link.packetCounts) - (link.packetCounts.ok ?? 0);
      await room.until(() => refused() >= 100 * batch, 'the end of a batch');
    }
    const { voicePackets } = await speaking;
    await ear.heard(ALICE.id);
    expect(ear.frames).toHaveLength(voicePackets);
    expect(correlate(spoken, ear.sound(ALICE.id)).correlation).toBeGreaterThan(0.95);
    expect(link.packetCounts.short).toBeGreaterThan(100);
    expect(link.state.status).toBe('ready');
    expect(room.joins).toBe(1);
  });
});

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

/** Datagrams of every awkward length, noise, and headers that look like voice. */
function hostile(count: number, seed: number, ssrc: number): string[] {
  const random = seededRandom(seed);
  const lengths = [0, 1, 7, 8, 9, 10, 11, 12, 13, 20, 31, 32, 33, 60, 200, 1400];
  return Array.from({ length: count }, (_, index) => {
    const datagram = Buffer.alloc(lengths[index % lengths.length] ?? 0);
    for (let at = 0; at < datagram.length; at++) datagram[at] = Math.floor(random() * 256);
    if (datagram.length >= 12 && random() < 0.7) {
      datagram.writeUInt16BE(0x8078 | (Math.floor(random() * 64) << 8), 0);
      datagram.writeUInt32BE(ssrc, 8);
    }
    return datagram.toString('base64');
  });
}
