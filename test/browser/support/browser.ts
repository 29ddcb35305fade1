import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

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

  /** `microphone`: 24 kHz mono samples; silence by default. */
  static async start(microphone: Int16Array = new Int16Array(SAMPLE_RATE_HZ)): Promise<TestBrowser> {
    const folder = await mkdtemp(join(tmpdir(), 'parley-browser-'));
    const file = join(folder, 'microphone.wav');
    await writeFile(file, encodeWav(microphone));
    const args = [...ARGUMENTS, `--use-file-for-fake-audio-capture=${file}%noloop`];
    return new TestBrowser(await chromium.launch({ executablePath: CHROMIUM, args }), folder);
  }

  /** A page that fails the test by whatever it complains of. */
  async open(url: string, options: BrowserContextOptions = {}): Promise<OpenPage> {
    const context = await this.browser.newContext({ viewport: { width: 1360, height: 860 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(String(error.stack)));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    await page.addInitScript(tapOutput);
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
  /** Ends the recording of what the page has played so far and begins the next one. */
  var takeOutput: (() => Promise<string>) | undefined;
}

/** Runs in the page before its own scripts: whatever is connected to the loudspeaker is recorded, too. */
function tapOutput(): void {
  const connect: unknown = Reflect.get(AudioNode.prototype, 'connect');
  if (typeof connect !== 'function') return;
  const tapped = function (this: AudioNode, to: AudioNode, ...rest: number[]): unknown {
    if (to instanceof AudioDestinationNode && to.context instanceof AudioContext) {
      const tap = to.context.createMediaStreamDestination();
      Reflect.apply(connect, this, [tap]);
      const record = (): { recorder: MediaRecorder; pieces: Blob[] } => {
        const pieces: Blob[] = [];
        const recorder = new MediaRecorder(tap.stream, { audioBitsPerSecond: 128_000 });
        recorder.addEventListener('dataavailable', ({ data }) => pieces.push(data));
        recorder.start();
        return { recorder, pieces };
      };
      let now = record();
      globalThis.takeOutput = async () => {
        const { recorder, pieces } = now;
        now = record();
        const stopped = new Promise((resolve) => recorder.addEventListener('stop', resolve));
        recorder.stop();
        await stopped;
        const sound = await new OfflineAudioContext(1, 1, 24_000).decodeAudioData(await new Blob(pieces).arrayBuffer());
        const samples = Int16Array.from(sound.getChannelData(0), (sample) => sample * 32_767);
        const bytes = new Uint8Array(samples.buffer);
        let text = '';
        for (let at = 0; at < bytes.length; at += 32_768)
          text += String.fromCharCode(...bytes.subarray(at, at + 32_768));
        return btoa(text);
      };
    }
    return Reflect.apply(connect, this, [to, ...rest]);
  };
  Object.defineProperty(AudioNode.prototype, 'connect', { value: tapped });
}

/** What the page has played since it began, or since this was last asked: 24 kHz mono. */
export async function outputOf(page: Page): Promise<Int16Array> {
  const sound = await page.evaluate(() => globalThis.takeOutput?.() ?? '');
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
