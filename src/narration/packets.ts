import { setImmediate as nextTurn } from 'node:timers/promises';

import { FRAME_SAMPLES, type Frame } from '../audio/frame.ts';
import { OpusDecoder, type OpusEncoder } from '../audio/opus.ts';

/** Coded in one go: a millisecond or two, so that the voices on the air keep their beat. */
const FRAMES_AT_ONCE = 10;

/** Opus packets one after the other, each with its length before it. */
export function joinPackets(packets: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(
    packets.flatMap((packet) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(packet.length);
      return [length, packet];
    }),
  );
}

export function splitPackets(sound: Uint8Array): Uint8Array[] {
  const bytes = Buffer.from(sound.buffer, sound.byteOffset, sound.byteLength);
  const packets: Uint8Array[] = [];
  for (let at = 0; at + 2 <= bytes.length;) {
    const length = bytes.readUInt16BE(at);
    packets.push(bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return packets;
}

/** Codes whole frames of sound, letting others run in between. */
export async function encodePackets(samples: Int16Array, encoder: OpusEncoder): Promise<Uint8Array[]> {
  const packets: Uint8Array[] = [];
  for (let at = 0; at + FRAME_SAMPLES <= samples.length; at += FRAME_SAMPLES) {
    packets.push(encoder.encode(samples.subarray(at, at + FRAME_SAMPLES)));
    if (packets.length % FRAMES_AT_ONCE === 0) await nextTurn();
  }
  return packets;
}

/** The frames of packets that one encoder has made one after the other, letting others run in between. */
export async function* decodePackets(
  passages: AsyncIterable<readonly Uint8Array[]>,
): AsyncGenerator<Frame, void, undefined> {
  using decoder = new OpusDecoder();
  let frames = 0;
  for await (const packets of passages) {
    for (const packet of packets) {
      yield decoder.decode(packet);
      if (++frames % FRAMES_AT_ONCE === 0) await nextTurn();
    }
  }
}
