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
