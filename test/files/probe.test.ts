import { expect, it } from 'vitest';

import { encodeVoiceMessage } from '../../src/audio/voice-message.ts';
import { encodeWav } from '../../src/audio/wav.ts';
import { probe } from '../../src/files/probe.ts';

const bytes = (text: string, filler = 64): Buffer => Buffer.from(text + '\0'.repeat(filler), 'latin1');

it.each([
  ['wav', encodeWav(new Int16Array(10))],
  ['wav', bytes('RF64\xff\xff\xff\xffWAVEds64')],
  ['ogg-opus', encodeVoiceMessage(new Int16Array(480)).file],
  ['ogg-vorbis', bytes('OggS\0\x02........................\x01vorbis')],
  ['ogg-flac', bytes('OggS\0\x02........................\x7fFLAC')],
  ['ogg', bytes('OggS\0\x02........................Speex   ')],
  ['mp3', bytes('ID3\x04\0\0\0\0\0\0')],
  ['flac', bytes('fLaC')],
  ['aac', bytes('\xff\xf1\x50\x80')],
  ['m4a', bytes('\0\0\0\x20ftypM4A ')],
  ['video', bytes('\0\0\0\x20ftypisom')],
  ['video', bytes('RIFF....AVI LIST')],
  ['webm', bytes('\x1a\x45\xdf\xa3')],
  ['aiff', bytes('FORM....AIFFCOMM')],
  ['amr', bytes('#!AMR\n')],
  ['wma', bytes('\x30\x26\xb2\x75\x8e\x66\xcf\x11')],
  ['midi', bytes('MThd')],
  ['image', bytes('\x89PNG\r\n')],
  ['image', bytes('\xff\xd8\xff\xe0')],
  ['image', bytes('RIFF....WEBPVP8 ')],
  ['pdf', bytes('%PDF-1.7')],
  ['archive', bytes('PK\x03\x04')],
  ['archive', bytes('\x1f\x8b\x08')],
  ['text', Buffer.from('#EXTM3U\nfile:///etc/passwd\n')],
  ['unknown', bytes('\x01\x02\x03')],
  ['unknown', Buffer.alloc(0)],
])('names %s', (kind, file) => {
  expect(probe(file)).toBe(kind);
});
