import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { chromium, type Browser, type Page } from 'playwright-core';

import { SAMPLE_RATE_HZ } from '../../../src/audio/frame.ts';
import { encodeWav } from '../../../src/audio/wav.ts';

/** Debian's. */
const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
];

/** A Chromium whose microphone plays a recording, once, from the moment it is opened. */
export class TestBrowser implements AsyncDisposable {
  readonly browser: Browser;
  readonly #folder: string;

  private constructor(browser: Browser, folder: string) {
    this.browser = browser;
    this.#folder = folder;
  }

  /** `microphone`: 24 kHz mono samples; silence by default. `more`: arguments for Chromium. */
  static async start(
    microphone: Int16Array = new Int16Array(SAMPLE_RATE_HZ),
    more: readonly string[] = [],
  ): Promise<TestBrowser> {
    const folder = await mkdtemp(join(tmpdir(), 'parley-browser-'));
    const file = join(folder, 'microphone.wav');
    await writeFile(file, encodeWav(microphone));
    const args = [...ARGUMENTS, `--use-file-for-fake-audio-capture=${file}%noloop`, ...more];
    return new TestBrowser(await chromium.launch({ executablePath: CHROMIUM, args }), folder);
  }

  /** A page that fails the test by whatever it complains of. What it hears and plays is recorded, unless `recorded` is false. */
  async open(url: string, { recorded = true } = {}): Promise<OpenPage> {
    const context = await this.browser.newContext({ viewport: { width: 1360, height: 860 } });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(String(error.stack)));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    await page.addInitScript(() => {
      addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
        reportError(new Error(`against the page's policy: ${violatedDirective} ${blockedURI}`)),
      );
    });
    if (recorded) await page.addInitScript(tapSound);
    await page.goto(url);
    return { page, complaints };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

export interface OpenPage {
  readonly page: Page;
  readonly complaints: readonly string[];
}

declare global {
  /** Ends the recording of what has gone through so far, as base64, and begins the next one. */
  var takeSound: ((end: 'microphone' | 'loudspeaker') => string) | undefined;
}

/**
 * Runs in the page before its own scripts. What is connected to the loudspeaker is recorded, and so is what the browser
 * makes of the microphone, both by the page's own recorder: frame by frame, and by no codec.
 */
function tapSound(): void {
  const connect: unknown = Reflect.get(AudioNode.prototype, 'connect');
  if (typeof connect !== 'function') return;
  const taken: Record<'microphone' | 'loudspeaker', Int16Array[]> = { microphone: [], loudspeaker: [] };
  const record = (recorder: AudioWorkletNode, frames: Int16Array[]): void => {
    const { port1, port2 } = new MessageChannel();
    port2.addEventListener('message', ({ data }: MessageEvent<Int16Array>) => frames.push(data));
    port2.start();
    recorder.port.postMessage(port1, [port1]);
  };
  const tapped = function (this: AudioNode, to: AudioNode, ...rest: number[]): unknown {
    if (to instanceof AudioDestinationNode && to.context instanceof AudioContext) {
      void to.context.audioWorklet.addModule('/page/capture-worklet.ts').then(() => {
        const recorder = new AudioWorkletNode(to.context, 'capture', { numberOfOutputs: 0 });
        record(recorder, taken.loudspeaker);
        Reflect.apply(connect, this, [recorder]);
      });
    } else if (this instanceof MediaStreamAudioSourceNode && to instanceof AudioWorkletNode) {
      record(to, taken.microphone);
    }
    return Reflect.apply(connect, this, [to, ...rest]);
  };
  Object.defineProperty(AudioNode.prototype, 'connect', { value: tapped });
  globalThis.takeSound = (end) => {
    let text = '';
    for (const frame of taken[end].splice(0)) text += String.fromCharCode(...new Uint8Array(frame.buffer));
    return btoa(text);
  };
}

/**
 * What the page has played, or what the browser's microphone has heard, since the page began or since this was last asked:
 * 24 kHz mono.
 */
export async function soundOf(page: Page, end: 'microphone' | 'loudspeaker'): Promise<Int16Array> {
  const sound = await page.evaluate((which) => globalThis.takeSound?.(which) ?? '', end);
  return new Int16Array(Uint8Array.from(Buffer.from(sound, 'base64')).buffer);
}

/** Drops a file where the locator points, as from a folder. */
export async function dropFile(
  page: Page,
  selector: string,
  file: { name: string; type: string; data: Uint8Array },
): Promise<void> {
  const transfer = await page.evaluateHandle(
    ({ name, type, base64 }) => {
      const dropped = new DataTransfer();
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      dropped.items.add(new File([bytes], name, { type }));
      return dropped;
    },
    { name: file.name, type: file.type, base64: Buffer.from(file.data).toString('base64') },
  );
  await page.dispatchEvent(selector, 'drop', { dataTransfer: transfer });
}
