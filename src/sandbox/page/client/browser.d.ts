/// <reference lib="dom" />
/// <reference lib="dom.iterable" />

// The scope of an audio worklet, which TypeScript's own libraries do not describe.

declare const sampleRate: number;
declare const currentTime: number;

declare abstract class AudioWorkletProcessor {
  readonly port: MessagePort;
  abstract process(inputs: readonly Float32Array[][], outputs: readonly Float32Array[][]): boolean;
}

declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;
