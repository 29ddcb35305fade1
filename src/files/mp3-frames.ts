/** One frame's header, read (ISO 11172-3 and 13818-3, layer III). */
interface Mp3Header {
  readonly frameBytes: number;
  readonly samples: number;
  readonly sampleRateHz: number;
  readonly channels: number;
}

/** A run of whole frames. */
export interface Mp3Frames {
  /** First byte of the first frame and first byte after the last one. */
  readonly start: number;
  readonly end: number;
  readonly durationMs: number;
  readonly sampleRateHz: number;
  readonly channels: number;
  /** Nothing but tags before and after, and one rate throughout. */
  readonly whole: boolean;
}

/** Bitrates in kbit/s by header index, for MPEG-1 and for MPEG-2 and 2.5. */
const BITRATES_1 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const BITRATES_2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
const RATES_1 = [44_100, 48_000, 32_000];

/** A sync word turns up by chance in anything: this many frames must follow each other. */
const FRAMES_TO_BELIEVE = 3;
/** How far into the file (after a tag) the first frame may be. */
const SEARCH_BYTES = 8_192;
const TAG_V1_BYTES = 128;

/** The first run of MP3 frames in a file; `undefined` when there is none. Reads headers only. */
export function findMp3(bytes: Uint8Array): Mp3Frames | undefined {
  const tagEnd = skipTags(bytes);
  const limit = Math.min(bytes.length, tagEnd + SEARCH_BYTES);
  for (let start = tagEnd; start < limit; start++) {
    if (bytes[start] !== 0xff) continue;
    const run = walk(bytes, start);
    if (run) return { ...run, whole: run.whole && start === tagEnd };
  }
  return undefined;
}

function walk(bytes: Uint8Array, start: number): Mp3Frames | undefined {
  const first = headerAt(bytes, start);
  if (!first) return undefined;
  let at = start;
  let frames = 0;
  let seconds = 0;
  let steady = true;
  for (let header: Mp3Header | undefined = first; header; header = headerAt(bytes, at)) {
    if (at + header.frameBytes > bytes.length) break;
    at += header.frameBytes;
    frames++;
    seconds += header.samples / header.sampleRateHz;
    steady &&= header.sampleRateHz === first.sampleRateHz;
  }
  if (frames === 0 || (frames < FRAMES_TO_BELIEVE && at < bytes.length)) return undefined;
  const rest = bytes.subarray(at);
  // What is left may be a tag, padding, or the beginning of a frame that the encoder never finished.
  const cleanEnd = headerAt(bytes, at) !== undefined || isTag(rest) || rest.every((byte) => byte === 0);
  return {
    start,
    end: at,
    durationMs: seconds * 1000,
    sampleRateHz: first.sampleRateHz,
    channels: first.channels,
    whole: steady && cleanEnd,
  };
}

function headerAt(bytes: Uint8Array, at: number): Mp3Header | undefined {
  const [sync, version = 0, rates = 0, mode = 0] = bytes.subarray(at, at + 4);
  if (sync !== 0xff || at + 4 > bytes.length || (version & 0xe6) !== 0xe2) return undefined; // 11 sync bits, layer III
  const mpeg = (version >> 3) & 3; // 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5
  const bitrate = (mpeg === 3 ? BITRATES_1 : BITRATES_2)[rates >> 4] ?? 0;
  const baseRateHz = RATES_1[(rates >> 2) & 3];
  if (mpeg === 1 || bitrate === 0 || baseRateHz === undefined) return undefined;
  const sampleRateHz = mpeg === 3 ? baseRateHz : mpeg === 2 ? baseRateHz / 2 : baseRateHz / 4;
  const samples = mpeg === 3 ? 1152 : 576;
  const padding = (rates >> 1) & 1;
  return {
    frameBytes: Math.floor((samples * bitrate * 125) / sampleRateHz) + padding,
    samples,
    sampleRateHz,
    channels: mode >> 6 === 3 ? 1 : 2,
  };
}

function skipTags(bytes: Uint8Array): number {
  return mp3TagBytes(bytes.subarray(0, 10), (at) => bytes.subarray(at, at + 10), bytes.length);
}

/**
 * Where the ID3v2 tags at the head of a file end: their size is seven bits a byte, and they may hold pictures of megabytes.
 * @param read Ten bytes from somewhere in the file.
 */
export function mp3TagBytes(head: Uint8Array, read: (at: number) => Uint8Array, fileBytes: number): number {
  let at = 0;
  for (let tag = head; startsWith(tag, 'ID3') && tag.length === 10; tag = read(at)) {
    const [a = 0, b = 0, c = 0, d = 0] = tag.subarray(6, 10);
    const footer = ((tag[5] ?? 0) & 0x10) !== 0 ? 10 : 0;
    at += 10 + ((a & 0x7f) << 21) + ((b & 0x7f) << 14) + ((c & 0x7f) << 7) + (d & 0x7f) + footer;
  }
  return Math.min(at, fileBytes);
}

function isTag(rest: Uint8Array): boolean {
  return (
    (rest.length === TAG_V1_BYTES && startsWith(rest, 'TAG')) ||
    startsWith(rest, 'APETAGEX') ||
    startsWith(rest, 'LYRICSBEGIN')
  );
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  return Buffer.from(bytes.subarray(0, text.length)).toString('latin1') === text;
}
