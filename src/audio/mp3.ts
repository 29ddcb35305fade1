import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { SAMPLE_RATE_HZ, type Frame } from './frame.ts';

/** 64 kbit/s keeps speech at 24 kHz indistinguishable, at a sixth of WAV's size. */
const BITRATE_KBIT = 64;

/** MP3 bytes a second, without the first and last frames. */
export const MP3_BYTES_PER_SECOND = (BITRATE_KBIT * 1000) / 8;

/**
 * Silence that a decoder brings before the first sample: 576 samples of encoder delay and 529 of decoder delay. There
 * is no header that would tell decoders to cut it (it would have to be written before the length is known).
 */
export const MP3_DELAY_SAMPLES = 1105;

/** LAME could not encode: out of memory. */
export class Mp3EncoderError extends Error {
  override readonly name = 'Mp3EncoderError';
}

/** The C interface of the package's LAME build. Its JavaScript one can only be started asynchronously. */
interface Lame {
  readonly memory: WebAssembly.Memory;
  _initialize(): void;
  malloc(bytes: number): number;
  free(address: number): void;
  /** Takes channels, rate, bitrate, quality, output rate; returns a handle, or 0. */
  enc_init(parameters: number): number;
  enc_free(handle: number): void;
  /** Returns the address of the addresses of one buffer per channel. */
  enc_get_pcm(handle: number, samples: number): number;
  /** Returns the number of bytes in the output buffer, or a negative error. */
  enc_encode(handle: number, samples: number): number;
  enc_flush(handle: number): number;
  enc_get_out_buf(handle: number): number;
}

/** Instances of LAME that are kept for their next file. */
const MAX_IDLE = 64;

/**
 * Encodes 24 kHz mono to MP3 (64 kbit/s, constant) while it is spoken, so that nothing is left to do at the end but the
 * flush. Synchronous: about 80 microseconds a frame. Each encoder has its own memory (0.6 MB), which the garbage
 * collector frees: an encoder that is dropped halfway needs no care. One that is finished or disposed of leaves its memory to
 * the next, which starts in 1.3 ms instead of 5.
 */
export class Mp3Encoder implements Disposable {
  readonly #lame: Lame;
  readonly #idle: Lame[];
  readonly #handle: number;
  #finished = false;

  private constructor(lame: Lame, idle: Lame[]) {
    this.#lame = lame;
    this.#idle = idle;
    const parameters = this.#lame.malloc(20);
    if (parameters === 0) throw new Mp3EncoderError('no memory for the parameters');
    const view = new DataView(this.#lame.memory.buffer, parameters, 20);
    view.setInt32(0, 1, true);
    view.setInt32(4, SAMPLE_RATE_HZ, true);
    view.setInt32(8, BITRATE_KBIT, true);
    view.setFloat32(12, -1, true); // no variable bitrate
    view.setInt32(16, SAMPLE_RATE_HZ, true);
    this.#handle = this.#lame.enc_init(parameters);
    this.#lame.free(parameters);
    if (this.#handle === 0) throw new Mp3EncoderError('LAME did not start');
  }

  /** Compiles LAME once. The result makes encoders, as many as are needed at the same time. */
  static async load(): Promise<() => Mp3Encoder> {
    const require = createRequire(import.meta.url);
    const module = await WebAssembly.compile(await readFile(require.resolve('wasm-media-encoders/wasm/mp3')));
    const idle: Lame[] = [];
    return () => new Mp3Encoder(idle.pop() ?? instantiate(module), idle);
  }

  /**
   * The bytes that are complete with these samples, often none: MP3 frames last 24 ms and share bits. Any length is
   * taken.
   * @throws {Mp3EncoderError} also after {@link finish}.
   */
  encode(samples: Frame): Uint8Array {
    if (this.#finished) throw new Mp3EncoderError('the file is finished');
    const pointers = this.#lame.enc_get_pcm(this.#handle, samples.length);
    if (pointers === 0) throw new Mp3EncoderError('no memory for the samples');
    const [channel] = new Uint32Array(this.#lame.memory.buffer, pointers, 1);
    const input = new Float32Array(this.#lame.memory.buffer, channel, samples.length);
    for (let i = 0; i < samples.length; i++) input[i] = samples[i]! / 32_768;
    return this.#output(this.#lame.enc_encode(this.#handle, samples.length));
  }

  /** The last bytes: all pieces one after the other are the file. */
  finish(): Uint8Array {
    if (this.#finished) throw new Mp3EncoderError('the file is finished');
    const last = this.#output(this.#lame.enc_flush(this.#handle));
    this[Symbol.dispose]();
    return last;
  }

  /** Drops what was not finished. */
  [Symbol.dispose](): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#lame.enc_free(this.#handle);
    if (this.#idle.length < MAX_IDLE) this.#idle.push(this.#lame);
  }

  #output(bytes: number): Uint8Array {
    if (bytes < 0) throw new Mp3EncoderError(`LAME error ${bytes}`);
    return new Uint8Array(this.#lame.memory.buffer, this.#lame.enc_get_out_buf(this.#handle), bytes).slice();
  }
}

function instantiate(module: WebAssembly.Module): Lame {
  const { exports } = new WebAssembly.Instance(module, {
    env: { emscripten_notify_memory_growth: () => undefined },
    wasi_snapshot_preview1: {
      proc_exit: (code: number) => {
        throw new Mp3EncoderError(`LAME gave up with code ${code}`);
      },
    },
  });
  if (!isLame(exports)) throw new Mp3EncoderError('an encoder with another interface');
  exports._initialize();
  return exports;
}

function isLame(exports: object): exports is Lame {
  return [
    'memory',
    '_initialize',
    'malloc',
    'free',
    'enc_init',
    'enc_free',
    'enc_get_pcm',
    'enc_encode',
    'enc_flush',
    'enc_get_out_buf',
  ].every((name) => name in exports);
}
