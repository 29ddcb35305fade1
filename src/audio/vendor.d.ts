declare module '@evan/opus/wasm/index.js' {
  class Decoder {
    constructor(options: { channels: 1 | 2; sample_rate: 8000 | 12000 | 16000 | 24000 | 48000 });
    ctl(request: number, value?: number): number;
    decode(packet: Uint8Array): Uint8Array;
    /** Frees the decoder's memory at once. */
    drop(): void;
  }
  class Encoder {
    constructor(options: {
      channels: 1 | 2;
      sample_rate: 8000 | 12000 | 16000 | 24000 | 48000;
      application: 'voip' | 'audio' | 'restricted_lowdelay';
    });
    ctl(request: number, value?: number): number;
    encode(pcm: Uint8Array): Uint8Array;
    /** Frees the encoder's memory at once. */
    drop(): void;
  }
  const opus: { Decoder: typeof Decoder; Encoder: typeof Encoder };
  export default opus;
}

declare module '@echogarden/fvad-wasm' {
  /** The Emscripten module around libfvad (fvad.h): handles and buffers are addresses in its heap. */
  export interface FvadModule {
    /** Replaced when the heap grows. */
    readonly HEAP16: Int16Array;
    _malloc(bytes: number): number;
    _free(address: number): void;
    /** Returns 0 when out of memory. */
    _fvad_new(): number;
    _fvad_free(handle: number): void;
    /** 0 (many false alarms) to 3 (few). */
    _fvad_set_mode(handle: number, mode: number): number;
    _fvad_set_sample_rate(handle: number, rateHz: number): number;
    /** 1: speech, 0: none, -1: wrong frame length. Frames of 10, 20 or 30 ms. */
    _fvad_process(handle: number, frame: number, samples: number): number;
  }
  export default function loadFvad(): Promise<FvadModule>;
}

/** What `src/sandbox/speech/webassembly.d.ts` leaves out of Node's `WebAssembly`. */
declare namespace WebAssembly {
  interface Memory {
    readonly buffer: ArrayBuffer;
  }
  interface Instance {
    readonly exports: object;
  }
}
