import { findMp3 } from './mp3-frames.ts';

/** What a file really is, by its first bytes. */
export type FileKind =
  | 'wav'
  | 'mp3'
  | 'ogg-opus'
  | 'ogg-vorbis'
  | 'ogg-flac'
  | 'ogg'
  | 'flac'
  | 'aac'
  | 'm4a'
  | 'aiff'
  | 'amr'
  | 'wma'
  | 'midi'
  | 'webm'
  | 'video'
  | 'image'
  | 'pdf'
  | 'archive'
  | 'text'
  | 'unknown';

/** Bytes at the head that are compared. `undefined` matches any byte. */
const MAGIC: readonly (readonly [kind: FileKind, at: number, text: string])[] = [
  ['flac', 0, 'fLaC'],
  ['amr', 0, '#!AMR'],
  ['aiff', 0, 'caff'],
  // QuickTime files of old begin with any of their atoms.
  ['video', 4, 'moov'],
  ['video', 4, 'mdat'],
  ['video', 4, 'wide'],
  ['midi', 0, 'MThd'],
  ['wma', 0, '\x30\x26\xb2\x75\x8e\x66\xcf\x11'],
  ['webm', 0, '\x1a\x45\xdf\xa3'],
  ['image', 0, '\x89PNG'],
  ['image', 0, '\xff\xd8\xff'],
  ['image', 0, 'GIF8'],
  ['pdf', 0, '%PDF-'],
  ['archive', 0, 'PK\x03\x04'],
  ['archive', 0, 'Rar!'],
  ['archive', 0, '7z\xbc\xaf'],
  ['archive', 0, '\x1f\x8b'],
];

/** Kinds of MP4 file that hold nothing but sound, by their brand. */
const AUDIO_BRANDS = /^(M4A|M4B|F4A)/;

/** Names a file by what is in it. Its name and what the server says of it do not count. */
export function probe(bytes: Uint8Array): FileKind {
  const head = Buffer.from(bytes.subarray(0, 128)).toString('latin1');
  if (head.startsWith('RIFF') || head.startsWith('RF64')) return riffKind(head);
  if (head.startsWith('OggS')) return oggKind(head);
  if (head.startsWith('FORM') && (head.startsWith('AIFF', 8) || head.startsWith('AIFC', 8))) return 'aiff';
  if (head.startsWith('ftyp', 4)) return AUDIO_BRANDS.test(head.slice(8)) ? 'm4a' : 'video';
  const known = MAGIC.find(([, at, text]) => head.startsWith(text, at));
  if (known) return known[0];
  if (head.startsWith('ID3') || findMp3(bytes) !== undefined) return 'mp3';
  // An MPEG sync word with layer 0 is AAC's.
  if (/^\xff[\xf0\xf1\xf8\xf9]/.test(head)) return 'aac';
  return /^[\t\n\r\x20-\x7e\x80-\xff]+$/.test(head) && head !== '' ? 'text' : 'unknown';
}

function riffKind(head: string): FileKind {
  if (head.startsWith('WAVE', 8)) return 'wav';
  if (head.startsWith('WEBP', 8)) return 'image';
  return head.startsWith('AVI ', 8) ? 'video' : 'unknown';
}

function oggKind(head: string): FileKind {
  if (head.includes('OpusHead')) return 'ogg-opus';
  if (head.includes('\x01vorbis')) return 'ogg-vorbis';
  return head.includes('FLAC') ? 'ogg-flac' : 'ogg';
}

/** The name by which others know a container that they may take as it is; `undefined` for QuickTime and Matroska. */
export function containerFormat(head: Uint8Array): 'm4a' | 'mp4' | 'webm' | undefined {
  const text = Buffer.from(head.subarray(0, 128)).toString('latin1');
  if (text.startsWith('ftyp', 4)) {
    if (text.startsWith('qt', 8)) return undefined;
    return AUDIO_BRANDS.test(text.slice(8)) ? 'm4a' : 'mp4';
  }
  return text.startsWith('\x1a\x45\xdf\xa3') && text.includes('webm') ? 'webm' : undefined;
}
