import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

import { oggChecksum } from '../../src/audio/ogg.ts';
import { encodeWav } from '../../src/audio/wav.ts';
import type { FileTrouble } from '../../src/language/words.ts';
import { randomFrom } from './mutate.ts';

/** A file made to do harm, or to be taken for what it is not; and what is said of it where there is no ffmpeg. */
export interface Trap {
  readonly name: string;
  readonly answer: FileTrouble | 'sound';
  readonly make: () => Uint8Array;
}

const MIB = 1024 * 1024;

/** Made with ffmpeg from "Good morning." as the sandbox's synthesiser says it. */
export function fixture(name: string): Buffer {
  return readFileSync(new URL(`fixtures/${name}`, import.meta.url));
}

/** A WAV header that claims this, before these bytes. */
export function wavOf(tag: number, channels: number, rateHz: number, bits: number, data: Uint8Array): Buffer {
  const file = Buffer.concat([encodeWav(new Int16Array(0), rateHz), data]);
  file.writeUInt16LE(tag, 20);
  file.writeUInt16LE(channels, 22);
  file.writeUInt16LE((channels * bits) / 8, 32);
  file.writeUInt16LE(bits, 34);
  file.writeUInt32LE(data.length, 40);
  return file;
}

/** The file with these bytes there. */
function changed(file: Buffer, at: number, bytes: readonly number[]): Buffer {
  file.set(bytes, at);
  return file;
}

/** The file with `to` in the place of the first `from`, of the same length. */
function renamed(file: Buffer, from: string, to: string): Buffer {
  file.write(to, file.indexOf(from), 'latin1');
  return file;
}

export function noiseBytes(length: number): Buffer {
  const random = randomFrom(length);
  return Buffer.from(Uint8Array.from({ length }, () => random() * 256));
}

function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** A chunk of a RIFF file that claims to be `claims` long. */
function chunk(name: string, body: Uint8Array, claims = body.length): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(claims);
  return Buffer.concat([latin1(name), size, body]);
}

function riff(...chunks: readonly Uint8Array[]): Buffer {
  return Buffer.concat([latin1('RIFF\xff\xff\xff\x7fWAVE'), ...chunks]);
}

const FORMAT = chunk('fmt ', wavOf(1, 1, 24_000, 16, new Uint8Array(0)).subarray(20, 36));
const SOUND = chunk('data', new Uint8Array(48_000));

/** A box of an MP4 file that claims to be `claims` long. */
function box(name: string, body: Uint8Array, claims = body.length + 8): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(claims);
  return Buffer.concat([size, latin1(name), body]);
}

const MP4_HEAD = box('ftyp', latin1('isom\0\0\x02\0isomiso2mp41'));

function boxInBox(depth: number): Buffer {
  let inner = box('free', new Uint8Array(8));
  for (let i = 0; i < depth; i++) inner = box('moov', inner);
  return inner;
}

/** An Ogg page with these lacing values, of a stream with the serial number 1. */
function page(flags: number, sequence: number, lacing: Uint8Array, body: Uint8Array): Buffer {
  const header = Buffer.alloc(27);
  header.write('OggS');
  header.writeUInt8(flags, 5);
  header.writeBigInt64LE(-1n, 6);
  header.writeUInt32LE(1, 14);
  header.writeUInt32LE(sequence, 18);
  header.writeUInt8(lacing.length, 26);
  const bytes = Buffer.concat([header, lacing, body]);
  bytes.writeUInt32LE(oggChecksum(bytes), 22);
  return bytes;
}

const OPUS_HEAD = latin1('OpusHead\x01\x01\x38\x01\xc0\x5d\0\0\0\0\0');
const OPUS_TAGS = latin1('OpusTags\0\0\0\0\0\0\0\0');

function opusOf(...pages: readonly Buffer[]): Buffer {
  return Buffer.concat([
    page(2, 0, Uint8Array.of(OPUS_HEAD.length), OPUS_HEAD),
    page(0, 1, Uint8Array.of(OPUS_TAGS.length), OPUS_TAGS),
    ...pages,
  ]);
}

/** Pages of Opus packets of one byte, each 60 ms of nothing: a megabyte unpacks to eight hours. */
function tinyPackets(bytes: number): Buffer[] {
  const [lacing, body] = [new Uint8Array(255).fill(1), new Uint8Array(255).fill(0x18)];
  return Array.from({ length: Math.ceil(bytes / 537) }, (_, i) => page(0, i + 2, lacing, body));
}

/** MP3 frames of 8 kbit/s, MPEG-2.5 at 8 kHz: 72 ms in 72 bytes. */
function mp3Frames(count: number): Buffer {
  const frame = Buffer.alloc(72);
  frame.set([0xff, 0xe3, 0x18, 0xc0]);
  return Buffer.concat(Array.from({ length: count }, () => frame));
}

function trap(name: string, answer: Trap['answer'], make: () => Uint8Array): Trap {
  return { name, answer, make };
}

export const TRAPS: readonly Trap[] = [
  // Nothing, or nothing that is sound.
  trap('no bytes', 'empty', () => new Uint8Array(0)),
  trap('one byte', 'unsupported', () => Uint8Array.of(0xff)),
  trap('a megabyte of zeros', 'unsupported', () => new Uint8Array(MIB)),
  trap('a megabyte of ones', 'unsupported', () => new Uint8Array(MIB).fill(0xff)),
  trap('a megabyte of noise', 'unsupported', () => noiseBytes(MIB)),
  trap('a playlist that calls itself .mp3', 'unsupported', () => latin1('#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n')),
  trap('a list of files for ffmpeg', 'unsupported', () => latin1("ffconcat version 1.0\nfile '/etc/passwd'\n")),
  trap('a session description', 'unsupported', () => latin1('v=0\no=- 0 0 IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n')),
  trap('an error page', 'unsupported', () => latin1('<!DOCTYPE html><html><body>404</body></html>')),
  trap('a picture', 'unsupported', () => latin1('\x89PNG\r\n\x1a\n\0\0')),
  trap('sound packed into a zip file', 'unsupported', () =>
    Buffer.concat([latin1('PK\x03\x04'), fixture('speech.flac')]),
  ),
  trap('sound packed by gzip', 'unsupported', () => gzipSync(fixture('speech.flac'))),

  // WAV.
  trap('a WAV of 1 Hz', 'sample-rate', () => wavOf(1, 1, 1, 16, new Uint8Array(1000))),
  trap('a WAV of 4 GHz', 'sample-rate', () => wavOf(1, 1, 4_000_000_000, 16, new Uint8Array(1000))),
  trap('a WAV of 255 channels', 'channels', () => wavOf(1, 255, 48_000, 16, new Uint8Array(5100))),
  trap('a WAV of no channels', 'channels', () => wavOf(1, 0, 48_000, 16, new Uint8Array(1000))),
  trap('a WAV of 7 bits', 'needs-ffmpeg', () => wavOf(1, 1, 48_000, 7, new Uint8Array(1000))),
  trap('a WAV in a coding of its own', 'needs-ffmpeg', () => wavOf(0x7a7a, 1, 48_000, 16, new Uint8Array(1000))),
  trap('a WAV without samples', 'empty', () => encodeWav(new Int16Array(0))),
  trap('a WAV cut in its header', 'damaged', () => encodeWav(new Int16Array(100)).subarray(0, 40)),
  trap('a WAV whose sound comes before its format', 'damaged', () => riff(SOUND, FORMAT)),
  trap('a WAV of a hundred thousand empty chunks', 'damaged', () =>
    riff(FORMAT, Buffer.alloc(MIB, chunk('LIST', latin1('')))),
  ),
  trap('a WAV whose first chunk has 4 GB', 'damaged', () =>
    riff(chunk('LIST', latin1('1234'), 0xffff_fffe), FORMAT, SOUND),
  ),
  trap('a WAV in a WAV', 'sound', () => riff(FORMAT, chunk('data', encodeWav(new Int16Array(24_000))))),
  trap('ten megabytes of WAV that play for 44 minutes', 'too-long', () =>
    wavOf(1, 1, 4000, 8, new Uint8Array(10 * MIB)),
  ),

  // MP3.
  trap('a tag without sound', 'damaged', () => latin1('ID3\x04\0\0\x7f\x7f\x7f\x7fpicture')),
  trap('ten thousand tags', 'damaged', () => Buffer.alloc(140_000, latin1('ID3\x04\0\0\0\0\0\x04art!'))),
  trap('a tag before a WAV', 'damaged', () =>
    Buffer.concat([latin1('ID3\x04\0\0\0\0\0\x04art!'), encodeWav(new Int16Array(24_000))]),
  ),
  trap('ten megabytes of MP3 that play for 2.9 hours', 'too-long', () => mp3Frames((10 * MIB) / 72)),

  // Ogg.
  trap('ten megabytes of Opus that play for 80 hours', 'too-long', () => opusOf(...tinyPackets(10 * MIB))),
  trap('Opus of ten megabytes of empty packets', 'damaged', () =>
    opusOf(...Array.from({ length: 37_000 }, (_, i) => page(0, i + 2, new Uint8Array(255), new Uint8Array(0)))),
  ),
  trap('an Opus packet that never ends', 'empty', () =>
    opusOf(
      ...Array.from({ length: 160 }, (_, i) =>
        page(i === 0 ? 0 : 1, i + 2, new Uint8Array(255).fill(255), new Uint8Array(255 * 255)),
      ),
    ),
  ),
  trap('Opus of 255 channels', 'channels', () =>
    page(2, 0, Uint8Array.of(19), changed(Buffer.from(OPUS_HEAD), 9, [255])),
  ),
  trap('an Ogg page that claims more than there is', 'damaged', () =>
    latin1('OggS\0\x02\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\xffOpusHead'),
  ),
  trap('Vorbis of 1 Hz', 'sample-rate', () => changed(fixture('speech.vorbis.ogg'), 40, [1, 0, 0, 0])),
  trap('Vorbis of 255 channels', 'channels', () => changed(fixture('speech.vorbis.ogg'), 39, [255])),

  // FLAC.
  trap('a FLAC of 1 Hz', 'sample-rate', () => changed(fixture('speech.flac'), 18, [0, 0, 0x10])),
  trap('a FLAC of 655 kHz', 'sample-rate', () => changed(fixture('speech.flac'), 18, [0x9f, 0xff])),
  trap('a FLAC that is only a header', 'damaged', () => fixture('speech.flac').subarray(0, 42)),
  trap('a FLAC with a picture of 16 MB that is not there', 'damaged', () =>
    Buffer.concat([fixture('speech.flac').subarray(0, 42), Uint8Array.of(6, 0xff, 0xff, 0xff), noiseBytes(1000)]),
  ),

  // MP4 and webm.
  trap('an MP4 of nothing but a name', 'no-sound', () => MP4_HEAD),
  trap('an MP4 of boxes in boxes', 'no-sound', () => Buffer.concat([MP4_HEAD, boxInBox(10_000)])),
  trap('an MP4 whose box has no end', 'no-sound', () =>
    Buffer.concat([MP4_HEAD, box('moov', noiseBytes(1000), 0xffff_fff0)]),
  ),
  trap('an MP4 whose box has no size', 'no-sound', () =>
    Buffer.concat([MP4_HEAD, Buffer.alloc(8000, box('moov', new Uint8Array(0), 1))]),
  ),
  trap('a protected file', 'encrypted', () => renamed(fixture('speech.m4a'), 'mp4a', 'enca')),
  trap('a video without sound', 'no-sound', () => renamed(fixture('speech.m4a'), 'soun', 'vide')),
  trap('a webm that is noise', 'unsupported', () => Buffer.concat([latin1('\x1a\x45\xdf\xa3'), noiseBytes(20_000)])),
  trap('a webm whose elements are endless', 'no-sound', () =>
    Buffer.concat([
      fixture('speech.webm').subarray(0, 40),
      Buffer.alloc(100_000, '\x1f\x43\xb6\x75\x01\xff\xff\xff\xff\xff\xff\xff', 'latin1'),
    ]),
  ),
];
