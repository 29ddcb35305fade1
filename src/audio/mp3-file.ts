import { MP3_DELAY_SAMPLES } from './mp3.ts';

/** Samples in a frame at 24 kHz (MPEG-2, layer III). */
const FRAME_SAMPLES = 576;
/** What every decoder adds, whatever the encoder was: `MP3_DELAY_SAMPLES` counts it, the file's header does not. */
const DECODER_DELAY_SAMPLES = 529;
/** Header and side information of a mono MPEG-2 frame. */
const INFO_AT = 4 + 9;
/** Bytes of a frame at 64 kbit/s and 24 kHz. */
const FRAME_BYTES = 192;

/** What players show of an MP3 file: ID3v2 frames such as `TIT2`, the title. */
export type Id3Tags = Readonly<Record<string, string>>;

/**
 * A file of what an `Mp3Encoder` has made of so many samples: with its tags, and with the header that lets players show its
 * true length and cut the silence that coding adds (the "Info" frame that LAME writes).
 */
export function mp3File(frames: Uint8Array, samples: number, tags: Id3Tags): Uint8Array {
  return Buffer.concat([id3(tags), infoFrame(frames, samples), frames]);
}

function infoFrame(frames: Uint8Array, samples: number): Uint8Array {
  const count = Math.floor(frames.length / FRAME_BYTES);
  const delay = MP3_DELAY_SAMPLES - DECODER_DELAY_SAMPLES;
  const padding = Math.max(0, Math.min(0xfff, count * FRAME_SAMPLES - delay - samples));
  const frame = Buffer.alloc(FRAME_BYTES);
  // The same kind of frame as the others, without padding and without any sound of its own.
  frame.set(frames.subarray(0, 4));
  frame.writeUInt8((frame[2] ?? 0) & ~2, 2);
  frame.write('Info', INFO_AT, 'latin1');
  frame.writeUInt32BE(3, INFO_AT + 4); // frames and bytes are given
  frame.writeUInt32BE(count, INFO_AT + 8);
  frame.writeUInt32BE(frames.length + FRAME_BYTES, INFO_AT + 12);
  frame.write('LAME3.100', INFO_AT + 16, 'latin1');
  frame.writeUInt8(1, INFO_AT + 25); // constant bitrate
  frame.writeUIntBE((delay << 12) | padding, INFO_AT + 37, 3);
  return frame;
}

/** ID3v2.4: text frames in UTF-8. */
function id3(tags: Id3Tags): Uint8Array {
  const frames = Object.entries(tags).map(([name, value]) => {
    const text = Buffer.from(value);
    const frame = Buffer.alloc(11 + text.length);
    frame.write(name, 0, 4, 'latin1');
    frame.writeUInt32BE(synchsafe(text.length + 1), 4);
    frame.writeUInt8(3, 10); // UTF-8
    text.copy(frame, 11);
    return frame;
  });
  const body = Buffer.concat(frames);
  const header = Buffer.from('ID3\x04\x00\x00\x00\x00\x00\x00', 'latin1');
  header.writeUInt32BE(synchsafe(body.length), 6);
  return Buffer.concat([header, body]);
}

/** 28 bits, seven in each byte. */
function synchsafe(value: number): number {
  return ((value & 0xfe00000) << 3) | ((value & 0x1fc000) << 2) | ((value & 0x3f80) << 1) | (value & 0x7f);
}
