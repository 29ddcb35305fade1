import { OpusDecoder as MultichannelDecoder } from 'opus-decoder';

import { SAMPLE_RATE_HZ } from '../audio/frame.ts';
import { OPUS_FILE_RATE_HZ } from '../audio/ogg.ts';
import { OpusDecoder, OpusPacketError } from '../audio/opus.ts';
import { mixToMono, toInt16 } from '../audio/pcm.ts';
import { AttachmentError } from './attachment-error.ts';
import { checkSound } from './mono-stream.ts';

/** A file is played on past damaged packets (concealed, as loss would be) while they are fewer than the good ones. */
const DAMAGED_TO_GIVE_UP = 50;

/** Samples of the file, which counts at 48 kHz, for one of ours. */
export const OPUS_SCALE = OPUS_FILE_RATE_HZ / SAMPLE_RATE_HZ;

/** The identification header of an Opus stream (RFC 7845 §5.1), which other containers carry too. */
export interface OpusHead {
  readonly channels: number;
  /** Samples at 48 kHz to skip at the head. */
  readonly preSkip: number;
  /** How the streams of more than two channels are laid out. `undefined`: one stream of one or two channels. */
  readonly layout:
    | { readonly streams: number; readonly coupledStreams: number; readonly mapping: readonly number[] }
    | undefined;
}

/** @throws {AttachmentError} */
export function readOpusHead(packet: Uint8Array): OpusHead {
  const head = Buffer.from(packet);
  if (head.length < 19 || head.toString('latin1', 0, 8) !== 'OpusHead' || head.readUInt8(8) >> 4 !== 0) {
    throw new AttachmentError('damaged', 'no Opus header');
  }
  const channels = head.readUInt8(9);
  checkSound(channels, OPUS_FILE_RATE_HZ);
  const preSkip = head.readUInt16LE(10);
  if (head.readUInt8(18) === 0) {
    if (channels > 2) throw new AttachmentError('damaged', 'more than two Opus channels without a layout');
    return { channels, preSkip, layout: undefined };
  }
  if (head.length < 21 + channels) throw new AttachmentError('damaged', 'a cut Opus header');
  const [streams, coupledStreams] = [head.readUInt8(19), head.readUInt8(20)];
  const mapping = [...head.subarray(21, 21 + channels)];
  const outOfRange = mapping.some((stream) => stream !== 255 && stream >= streams + coupledStreams);
  if (streams === 0 || coupledStreams > streams || outOfRange) {
    throw new AttachmentError('damaged', 'an Opus layout that cannot be');
  }
  return { channels, preSkip, layout: { streams, coupledStreams, mapping } };
}

interface PacketDecoder extends Disposable {
  /** @throws {OpusPacketError} */
  decode(packet: Uint8Array): Int16Array;
  conceal(): Int16Array;
}

/** Decodes the packets of one Opus stream to 24 kHz mono, past damaged ones. */
export class OpusStream implements Disposable {
  readonly #decoder: PacketDecoder;
  #skip: number;
  #good = 0;
  #damaged = 0;

  private constructor(head: OpusHead, decoder: PacketDecoder) {
    this.#decoder = decoder;
    this.#skip = Math.round(head.preSkip / OPUS_SCALE);
  }

  static async open(head: OpusHead): Promise<OpusStream> {
    return new OpusStream(head, head.layout ? await multichannel(head.channels, head.layout) : new OpusDecoder());
  }

  /** @throws {AttachmentError} when more packets are damaged than good. */
  decode(packet: Uint8Array): Int16Array {
    const samples = this.#samples(packet);
    const skipped = Math.min(this.#skip, samples.length);
    this.#skip -= skipped;
    return samples.subarray(skipped);
  }

  /** Whether there was sound at all. @throws {AttachmentError} when there was not, or hardly. */
  finish(): boolean {
    if (this.#damaged > this.#good) throw this.#tooDamaged();
    return this.#good > 0;
  }

  #samples(packet: Uint8Array): Int16Array {
    try {
      const samples = this.#decoder.decode(packet);
      this.#good++;
      return samples;
    } catch (error) {
      if (!(error instanceof OpusPacketError)) throw error;
      this.#damaged++;
      if (this.#damaged > this.#good && this.#damaged > DAMAGED_TO_GIVE_UP) throw this.#tooDamaged();
      return this.#decoder.conceal();
    }
  }

  #tooDamaged(): AttachmentError {
    return new AttachmentError('damaged', `${this.#damaged} of ${this.#good + this.#damaged} packets are damaged`);
  }

  [Symbol.dispose](): void {
    this.#decoder[Symbol.dispose]();
  }
}

async function multichannel(
  channels: number,
  { streams, coupledStreams, mapping }: NonNullable<OpusHead['layout']>,
): Promise<PacketDecoder> {
  const decoder = new MultichannelDecoder({
    channels,
    streamCount: streams,
    coupledStreamCount: coupledStreams,
    channelMappingTable: [...mapping],
    sampleRate: SAMPLE_RATE_HZ,
  });
  await decoder.ready;
  return {
    decode(packet) {
      const { channelData, samplesDecoded } = decoder.decodeFrame(packet);
      if (samplesDecoded === 0) throw new OpusPacketError('a damaged Opus packet');
      return toInt16(mixToMono(channelData));
    },
    conceal: () => new Int16Array(0),
    [Symbol.dispose]: () => decoder.free(),
  };
}
