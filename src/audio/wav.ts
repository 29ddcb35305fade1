/** Rates outside this are refused: a file that claims 1 Hz would grow without bound when it is resampled. */
const MIN_SAMPLE_RATE_HZ = 4_000;
const MAX_SAMPLE_RATE_HZ = 384_000;
const MAX_CHANNELS = 64;

/** WAVE format tags (RFC 2361). */
const TAG_PCM = 1;
const TAG_FLOAT = 3;
const TAG_A_LAW = 6;
const TAG_MU_LAW = 7;
/** WAVE_FORMAT_EXTENSIBLE: the real tag is the first two bytes of the sub-format GUID. */
const TAG_EXTENSIBLE = 0xfffe;

type WavProblem = 'damaged' | 'unsupported' | 'empty' | 'channels' | 'sample-rate';

/** A WAV file that cannot be read. */
export class WavError extends Error {
  override readonly name = 'WavError';
  /** `unsupported`: a sound WAV in a coding we do not read. `empty`: no samples. `damaged`: what is not said otherwise. */
  readonly problem: WavProblem;

  constructor(problem: WavProblem, message: string) {
    super(message);
    this.problem = problem;
  }
}

/** How the samples of a WAV file are coded. */
type WavCoding = 'u8' | 's16' | 's24' | 's32' | 'f32' | 'f64' | 'a-law' | 'mu-law';

/** What the header says, with the length taken from the bytes that are really there. */
export interface WavInfo {
  readonly coding: WavCoding;
  readonly sampleRateHz: number;
  readonly channels: number;
  /** Samples of each channel. */
  readonly frames: number;
  readonly durationMs: number;
  /** Where the samples lie in the file. */
  readonly dataOffset: number;
  readonly dataBytes: number;
  /** The header's data size is the true one. Streamed files carry 0 or 0xFFFFFFFF, cut files more than they have. */
  readonly sizeIsTrue: boolean;
}

/** A mono 16-bit WAV file: a 44-byte header, then the samples. */
export function encodeWav(samples: Int16Array, sampleRateHz = 24_000): Uint8Array {
  const bytes = new Uint8Array(44 + samples.byteLength);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x52494646); // RIFF
  view.setUint32(4, 36 + samples.byteLength, true);
  view.setUint32(8, 0x57415645); // WAVE
  view.setUint32(12, 0x666d7420); // "fmt "
  view.setUint32(16, 16, true);
  view.setUint16(20, TAG_PCM, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, sampleRateHz, true);
  view.setUint32(28, sampleRateHz * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  view.setUint32(36, 0x64617461); // data
  view.setUint32(40, samples.byteLength, true);
  // Every platform Node runs on is little-endian, as WAV is.
  bytes.set(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength), 44);
  return bytes;
}

/**
 * Reads a whole WAV file: one array per channel, -1 to 1, at the file's own rate.
 * @throws {WavError}
 */
export function decodeWav(bytes: Uint8Array): { sampleRateHz: number; channels: Float32Array[] } {
  const info = wavInfo(bytes);
  const data = bytes.subarray(info.dataOffset, info.dataOffset + info.dataBytes);
  return { sampleRateHz: info.sampleRateHz, channels: readWavSamples(info, data) };
}

/** Samples of a part of the file's data that begins with the first channel: one array per channel, -1 to 1. */
export function readWavSamples(info: Pick<WavInfo, 'coding' | 'channels'>, data: Uint8Array): Float32Array[] {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const width = BYTES_PER_SAMPLE[info.coding];
  const read = READERS[info.coding];
  const stride = width * info.channels;
  const frames = Math.floor(data.length / stride);
  return Array.from({ length: info.channels }, (_, channel) => {
    const samples = new Float32Array(frames);
    for (let i = 0, at = channel * width; i < frames; i++, at += stride) samples[i] = read(view, at);
    return samples;
  });
}

/**
 * Looks at the header alone. RIFF and RF64 are read; a data size that cannot be true means "until the end of the file".
 * @param fileBytes Size of the file of which these bytes are the head.
 * @throws {WavError}
 */
export function wavInfo(bytes: Uint8Array, fileBytes = bytes.length): WavInfo {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12) throw new WavError('damaged', 'too short for a WAV file');
  const magic = idAt(view, 0);
  if ((magic !== 'RIFF' && magic !== 'RF64') || idAt(view, 8) !== 'WAVE') {
    throw new WavError('damaged', 'not a WAV file');
  }

  let format: ReturnType<typeof parseFormat> | undefined;
  let at = 12;
  while (at + 8 <= bytes.length) {
    const id = idAt(view, at);
    const size = view.getUint32(at + 4, true);
    const body = at + 8;
    if (id === 'data') {
      if (format === undefined) throw new WavError('damaged', 'samples before their format');
      return { ...format, ...dataExtent(view, body, size, format, fileBytes) };
    }
    if (id === 'fmt ' && format === undefined) format = parseFormat(view, body, size);
    at = body + size + (size % 2); // chunks are padded to an even length
  }
  throw new WavError('damaged', 'no samples in the file');
}

function dataExtent(
  view: DataView,
  dataOffset: number,
  declared: number,
  format: { coding: WavCoding; channels: number; sampleRateHz: number },
  fileBytes: number,
): Pick<WavInfo, 'frames' | 'durationMs' | 'dataOffset' | 'dataBytes' | 'sizeIsTrue'> {
  const present = fileBytes - dataOffset;
  const unknown = declared > present || (declared === 0 && !isChunkAt(view, dataOffset));
  const frameBytes = BYTES_PER_SAMPLE[format.coding] * format.channels;
  const frames = Math.floor((unknown ? present : declared) / frameBytes);
  if (frames === 0) throw new WavError('empty', 'no samples in the file');
  return {
    frames,
    durationMs: (frames * 1000) / format.sampleRateHz,
    dataOffset,
    dataBytes: frames * frameBytes,
    sizeIsTrue: !unknown,
  };
}

function parseFormat(
  view: DataView,
  at: number,
  size: number,
): { coding: WavCoding; sampleRateHz: number; channels: number } {
  if (size < 16 || at + size > view.byteLength) throw new WavError('damaged', 'a cut format chunk');
  const channels = view.getUint16(at + 2, true);
  const sampleRateHz = view.getUint32(at + 4, true);
  const bits = view.getUint16(at + 14, true);
  let tag = view.getUint16(at, true);
  if (tag === TAG_EXTENSIBLE) {
    if (size < 40) throw new WavError('damaged', 'a cut extensible format');
    tag = view.getUint16(at + 24, true);
  }
  if (channels < 1 || channels > MAX_CHANNELS) throw new WavError('channels', `${channels} channels`);
  if (sampleRateHz < MIN_SAMPLE_RATE_HZ || sampleRateHz > MAX_SAMPLE_RATE_HZ) {
    throw new WavError('sample-rate', `a sample rate of ${sampleRateHz} Hz`);
  }
  const coding = codingOf(tag, bits);
  if (coding === undefined) throw new WavError('unsupported', `WAVE format ${tag} with ${bits} bits`);
  if (view.getUint16(at + 12, true) !== BYTES_PER_SAMPLE[coding] * channels) {
    throw new WavError('damaged', 'a block size that contradicts the sample size');
  }
  return { coding, sampleRateHz, channels };
}

function codingOf(tag: number, bits: number): WavCoding | undefined {
  switch (tag) {
    case TAG_PCM:
      return bits === 8 ? 'u8' : bits === 16 ? 's16' : bits === 24 ? 's24' : bits === 32 ? 's32' : undefined;
    case TAG_FLOAT:
      return bits === 32 ? 'f32' : bits === 64 ? 'f64' : undefined;
    case TAG_A_LAW:
      return bits === 8 ? 'a-law' : undefined;
    case TAG_MU_LAW:
      return bits === 8 ? 'mu-law' : undefined;
    default:
      return undefined;
  }
}

function idAt(view: DataView, at: number): string {
  return String.fromCharCode(view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2), view.getUint8(at + 3));
}

/** Whether a whole chunk starts here: then an empty data chunk before it is really empty. */
function isChunkAt(view: DataView, at: number): boolean {
  return (
    at + 8 <= view.byteLength &&
    /^[\w ]{4}$/.test(idAt(view, at)) &&
    at + 8 + view.getUint32(at + 4, true) <= view.byteLength
  );
}

const BYTES_PER_SAMPLE: Readonly<Record<WavCoding, number>> = {
  u8: 1,
  s16: 2,
  s24: 3,
  s32: 4,
  f32: 4,
  f64: 8,
  'a-law': 1,
  'mu-law': 1,
};

const READERS: Readonly<Record<WavCoding, (view: DataView, at: number) => number>> = {
  u8: (view, at) => (view.getUint8(at) - 128) / 128,
  s16: (view, at) => view.getInt16(at, true) / 32_768,
  s24: (view, at) => ((view.getInt8(at + 2) << 16) | view.getUint16(at, true)) / 8_388_608,
  s32: (view, at) => view.getInt32(at, true) / 2_147_483_648,
  f32: (view, at) => clip(view.getFloat32(at, true)),
  f64: (view, at) => clip(view.getFloat64(at, true)),
  'a-law': (view, at) => aLaw(view.getUint8(at)) / 32_768,
  'mu-law': (view, at) => muLaw(view.getUint8(at)) / 32_768,
};

function clip(sample: number): number {
  return sample > 1 ? 1 : sample < -1 ? -1 : Number.isNaN(sample) ? 0 : sample;
}

/** ITU-T G.711 A-law: alternate bits are inverted; sign, 3-bit segment, 4-bit step. */
function aLaw(code: number): number {
  const value = code ^ 0x55;
  const segment = (value >> 4) & 7;
  const step = ((value & 0x0f) << 4) + 8;
  const magnitude = segment === 0 ? step : (step + 0x100) << (segment - 1);
  return (value & 0x80) !== 0 ? magnitude : -magnitude;
}

/** ITU-T G.711 mu-law: all bits are inverted; the bias of 0x84 makes the segments continuous. */
function muLaw(code: number): number {
  const value = ~code & 0xff;
  const magnitude = ((((value & 0x0f) << 3) + 0x84) << ((value >> 4) & 7)) - 0x84;
  return (value & 0x80) !== 0 ? -magnitude : magnitude;
}
