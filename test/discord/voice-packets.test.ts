import { randomBytes } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { OPUS_SILENCE } from '../../src/audio/frame.ts';
import { VoicePackets, type Dave, type VoicePacket } from '../../src/discord/voice-packets.ts';
import type { TransportKey } from '../../src/discord/voice-rtp.ts';
import { sealPacket, seededRandom, type PacketFields } from './support/sealed-packet.ts';

const KEY: TransportKey = { mode: 'aead_aes256_gcm_rtpsize', secretKey: randomBytes(32) };
const KEYS: readonly TransportKey[] = [KEY, { mode: 'aead_xchacha20_poly1305_rtpsize', secretKey: randomBytes(32) }];
const OPUS = Buffer.from([0x78, 1, 2, 3, 4, 5, 6, 7]);

/** End-to-end encryption stood in for: a frame opens when its last byte is the epoch's. */
class Epochs implements Dave {
  protocolVersion = 1;
  session: { ready: boolean } | undefined = { ready: true };
  epoch = 1;

  decrypt(packet: Buffer): Buffer | null {
    return packet.at(-1) === this.epoch ? packet.subarray(0, -1) : null;
  }

  seal(opus: Buffer, epoch = this.epoch): Buffer {
    return Buffer.concat([opus, Buffer.of(epoch)]);
  }
}

class Receiver {
  readonly received: VoicePacket[] = [];
  readonly undecryptable: string[] = [];
  readonly packets: VoicePackets;
  key: TransportKey | undefined;
  dave: Dave | undefined;
  unwanted = '';

  constructor(key: TransportKey | undefined = KEY) {
    this.key = key;
    this.packets = new VoicePackets({
      keys: { transport: () => this.key, dave: () => this.dave },
      sink: { wants: (userId) => userId !== this.unwanted, accept: (packet) => this.received.push(packet) },
      onUndecryptable: (userId) => this.undecryptable.push(userId),
    });
  }

  /** Sends packet number `sequence` of a track. */
  send(sequence: number, nowMs = sequence * 20, fields: Partial<PacketFields> = {}): Buffer {
    const datagram = sealPacket(
      { ssrc: 7, sequence, timestamp: sequence * 960, payload: OPUS, ...fields },
      this.key ?? KEY,
    );
    this.packets.receive(datagram, nowMs);
    return datagram;
  }

  get sequences(): number[] {
    return this.received.map(({ sequence }) => sequence);
  }
}

describe('VoicePackets', () => {
  describe.each(KEYS)('with $mode', (key) => {
    it.each([
      { what: 'a bare header', fields: {} },
      { what: 'a header extension', fields: { extension: randomBytes(8) } },
      { what: 'padding', fields: { padding: 5 } },
      { what: 'contributing sources', fields: { csrc: [1, 2, 3] } },
      { what: 'all of them', fields: { extension: randomBytes(12), padding: 255, csrc: [9] } },
    ])('opens a packet with $what', ({ fields }) => {
      const receiver = new Receiver(key);
      receiver.packets.mapSender(7, 'alice', 0);
      receiver.send(65_535, 41.5, { timestamp: 0xffff_fc40, ...fields });
      expect(receiver.received).toEqual([
        { userId: 'alice', ssrc: 7, sequence: 65_535, timestamp: 0xffff_fc40, atMs: 41.5, opus: OPUS },
      ]);
    });

    it('drops what was sealed with another key, and what was touched on the way', () => {
      const receiver = new Receiver(key);
      receiver.packets.mapSender(7, 'alice', 0);
      receiver.packets.receive(
        sealPacket({ ssrc: 7, sequence: 1, timestamp: 0, payload: OPUS }, { ...key, secretKey: randomBytes(32) }),
        0,
      );
      const touched = sealPacket({ ssrc: 7, sequence: 2, timestamp: 0, payload: OPUS }, key);
      for (const index of [2, 8, 14, touched.length - 20, touched.length - 1]) {
        const copy = Buffer.from(touched);
        copy.writeUInt8(copy.readUInt8(index) ^ 1, index);
        receiver.packets.receive(copy, 0);
      }
      // Byte 8 belongs to the SSRC: a stranger's, but not sealed by the server either.
      expect(receiver.packets.counts).toMatchObject({ 'auth-fail': 6, ok: 0, held: 0 });
    });
  });

  it('drops what is no voice packet by its header alone', () => {
    const receiver = new Receiver();
    for (const length of [0, 1, 8, 9, 10, 11, 12, 31]) receiver.packets.receive(randomBytes(length), 0);
    expect(receiver.packets.counts.short).toBe(8);
    const packet = sealPacket({ ssrc: 7, sequence: 1, timestamp: 0, payload: OPUS }, KEY);
    for (const [index, value] of [
      [0, 0x40], // RTP version 1
      [1, 0x49], // RTCP
    ] as const) {
      const copy = Buffer.from(packet);
      copy.writeUInt8(value, index);
      receiver.packets.receive(copy, 0);
    }
    expect(receiver.packets.counts['bad-header']).toBe(2);
    expect(receiver.received).toEqual([]);
  });

  it('drops packets whose lengths contradict each other', () => {
    const receiver = new Receiver();
    receiver.packets.mapSender(7, 'alice', 0);
    // The count of padding is more than there is.
    receiver.send(1, 0, { payload: Buffer.from([1, 200]), padding: 1, extension: Buffer.alloc(0) });
    const overlong = Buffer.from([0x78, 9]);
    receiver.packets.receive(sealPadded(overlong), 0);
    expect(receiver.packets.counts).toMatchObject({ ok: 1, 'bad-header': 1 });
  });

  it('drops empty packets and packets of zeros', () => {
    const receiver = new Receiver();
    receiver.packets.mapSender(7, 'alice', 0);
    receiver.send(1, 0, { payload: Buffer.alloc(0), padding: 8 });
    receiver.send(2, 0, { payload: Buffer.alloc(40) });
    expect(receiver.packets.counts).toMatchObject({ empty: 2, ok: 0 });
  });

  it('takes a datagram once, however often and late it is sent again', () => {
    const receiver = new Receiver();
    receiver.packets.mapSender(7, 'alice', 0);
    const recorded = [1, 2, 3].map((sequence) => receiver.send(sequence));
    for (let sequence = 4; sequence < 1500; sequence++) receiver.send(sequence);
    for (const datagram of recorded) receiver.packets.receive(datagram, 30_000);
    expect(receiver.packets.counts).toMatchObject({ ok: 1499, replay: 3 });
  });

  it('does not open packets of whom nobody wants to hear', () => {
    const receiver = new Receiver();
    receiver.unwanted = 'bob';
    receiver.packets.mapSender(7, 'bob', 0);
    receiver.key = undefined;
    receiver.packets.receive(sealPacket({ ssrc: 7, sequence: 1, timestamp: 0, payload: OPUS }, KEY), 0);
    expect(receiver.packets.counts).toMatchObject({ 'not-wanted': 1, 'no-key': 0 });
  });

  it('survives 20,000 mutated datagrams and still delivers every valid one', () => {
    const random = seededRandom(20_261_125);
    const receiver = new Receiver();
    receiver.dave = new Epochs();
    receiver.packets.mapSender(7, 'alice', 0);
    let valid = 0;
    for (let index = 0; index < 20_000; index++) {
      if (random() < 0.2) {
        receiver.send(valid & 0xffff, index, { payload: Buffer.concat([OPUS, Buffer.of(1)]) });
        valid++;
      } else {
        receiver.packets.receive(mutated(random), index);
      }
    }
    expect(receiver.packets.counts.ok).toBe(valid);
    expect(receiver.received).toHaveLength(valid);
  });

  describe('before it knows whose a packet is', () => {
    it('keeps the head of a talkspurt and delivers it in order, with the times of arrival', () => {
      const receiver = new Receiver();
      for (let sequence = 1; sequence <= 10; sequence++) receiver.send(sequence);
      expect(receiver.received).toEqual([]);
      receiver.packets.mapSender(7, 'alice', 210);
      receiver.send(11);
      expect(receiver.sequences).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
      expect(receiver.received.map(({ atMs }) => atMs)).toEqual([20, 40, 60, 80, 100, 120, 140, 160, 180, 200, 220]);
    });

    it('keeps it through a change of end-to-end keys that comes first', () => {
      const receiver = new Receiver();
      receiver.dave = new Epochs();
      receiver.send(1, undefined, { payload: Buffer.concat([OPUS, Buffer.of(1)]) });
      receiver.packets.keysChanged(30);
      receiver.packets.mapSender(7, 'alice', 40);
      expect(receiver.sequences).toEqual([1]);
    });

    it('gives up after half a second, and keeps no more than half a second', () => {
      const receiver = new Receiver();
      for (let sequence = 1; sequence <= 100; sequence++) receiver.send(sequence);
      receiver.packets.mapSender(7, 'alice', 2001);
      expect(receiver.received.length).toBeLessThanOrEqual(25);
      expect(receiver.received.every(({ atMs }) => atMs >= 1500)).toBe(true);
      expect(receiver.packets.counts['unknown-ssrc']).toBe(100 - receiver.received.length);
    });

    it('keeps nothing that the voice server has not sealed', () => {
      const receiver = new Receiver();
      const stranger = { ...KEY, secretKey: randomBytes(32) };
      for (let ssrc = 100; ssrc < 1100; ssrc++) {
        receiver.packets.receive(sealPacket({ ssrc, sequence: 1, timestamp: 0, payload: OPUS }, stranger), 0);
      }
      receiver.send(1);
      receiver.packets.mapSender(7, 'alice', 25);
      expect(receiver.sequences).toEqual([1]);
    });
  });

  describe('with end-to-end encryption', () => {
    it('keeps the head of a talkspurt until the keys are there', () => {
      const receiver = new Receiver();
      const dave = new Epochs();
      dave.session = undefined;
      receiver.dave = dave;
      receiver.packets.mapSender(7, 'alice', 0);
      for (let sequence = 1; sequence <= 5; sequence++)
        receiver.send(sequence, undefined, { payload: dave.seal(OPUS) });
      expect(receiver.received).toEqual([]);
      dave.session = { ready: true };
      receiver.packets.keysChanged(110);
      expect(receiver.sequences).toEqual([1, 2, 3, 4, 5]);
      expect(receiver.received[0]?.opus).toEqual(OPUS);
    });

    it('delivers what came ahead of a change of keys once the change is made', () => {
      const receiver = new Receiver();
      const dave = new Epochs();
      receiver.dave = dave;
      receiver.packets.mapSender(7, 'alice', 0);
      receiver.send(1, undefined, { payload: dave.seal(OPUS, 1) });
      receiver.send(2, undefined, { payload: dave.seal(OPUS, 2) });
      receiver.send(3, undefined, { payload: dave.seal(OPUS, 2) });
      dave.epoch = 2;
      receiver.send(4, undefined, { payload: dave.seal(OPUS, 2) });
      expect(receiver.sequences).toEqual([1, 2, 3, 4]);
    });

    it('never hands on what does not open, and goes on with what does', () => {
      const receiver = new Receiver();
      const dave = new Epochs();
      receiver.dave = dave;
      receiver.packets.mapSender(7, 'alice', 0);
      for (let sequence = 1; sequence <= 30; sequence++) {
        receiver.send(sequence, undefined, { payload: dave.seal(OPUS, sequence % 3 === 0 ? 9 : 1) });
      }
      receiver.send(31, undefined, { payload: dave.seal(OPUS) });
      expect(receiver.sequences).toEqual(
        Array.from({ length: 31 }, (_, index) => index + 1).filter((n) => n % 3 !== 0),
      );
      expect(receiver.packets.counts['dave-fail']).toBe(10);
      expect(receiver.undecryptable).toEqual([]);
    });

    it('says so after 37 failures in a row of one member, and again after 37 more', () => {
      const receiver = new Receiver();
      const dave = new Epochs();
      receiver.dave = dave;
      receiver.packets.mapSender(7, 'alice', 0);
      receiver.packets.mapSender(8, 'bob', 0);
      for (let sequence = 1; sequence <= 36; sequence++) {
        receiver.send(sequence, undefined, { payload: dave.seal(OPUS, 9) });
        receiver.send(sequence, undefined, { ssrc: 8, payload: dave.seal(OPUS) });
      }
      expect(receiver.undecryptable).toEqual([]);
      for (let sequence = 37; sequence <= 74; sequence++) {
        receiver.send(sequence, undefined, { payload: dave.seal(OPUS, 9) });
      }
      expect(receiver.undecryptable).toEqual(['alice', 'alice']);
      expect(receiver.received.filter(({ userId }) => userId === 'bob')).toHaveLength(36);
    });

    it('passes silence, which is never encrypted, but not ahead of speech that waits for keys', () => {
      const receiver = new Receiver();
      const dave = new Epochs();
      receiver.dave = dave;
      receiver.packets.mapSender(7, 'alice', 0);
      receiver.send(1, undefined, { payload: OPUS_SILENCE });
      dave.session = { ready: false };
      receiver.send(2, undefined, { payload: dave.seal(OPUS) });
      receiver.send(3, undefined, { payload: OPUS_SILENCE });
      expect(receiver.sequences).toEqual([1]);
      dave.session = { ready: true };
      receiver.packets.keysChanged(70);
      expect(receiver.sequences).toEqual([1, 2, 3]);
    });
  });
});

/** Sealed properly, but with the padding bit set over a payload whose last byte claims more padding than there is. */
function sealPadded(payload: Buffer): Buffer {
  return sealPacket({ ssrc: 7, sequence: 99, timestamp: 0, payload, padding: 0, lastByteIsPadding: true }, KEY);
}

function mutated(random: () => number): Buffer {
  const choice = random();
  if (choice < 0.3) {
    const noise = Buffer.alloc(Math.floor(random() * 1500));
    for (let index = 0; index < noise.length; index++) noise[index] = Math.floor(random() * 256);
    return noise;
  }
  const packet = sealPacket({ ssrc: 7, sequence: 5, timestamp: 5, payload: OPUS, extension: Buffer.alloc(8) }, KEY);
  if (choice < 0.6) return packet.subarray(0, Math.floor(random() * packet.length));
  const index = Math.floor(random() * packet.length);
  packet[index] = (packet[index] ?? 0) ^ (1 + Math.floor(random() * 255));
  return packet;
}
