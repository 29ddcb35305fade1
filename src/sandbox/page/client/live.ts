import type { LiveMessage } from './live-worker.ts';

const RATE_HZ = 24_000;
const RECONNECT_MS = 1000;

export type Gate = 'voice' | 'open' | 'closed';

/** How the sound that is heard is doing, as the audio thread reports it. */
export interface PlayerReport {
  readonly delayMs: number;
  readonly targetMs: number;
  readonly interruptions: number;
}

interface LiveOptions {
  readonly personId: string;
  /** The line to the sandbox stands (again): the person may join. */
  readonly connected: () => void;
  readonly reported: (report: PlayerReport) => void;
}

/** A person's ears and mouth: what they hear is played, and what the microphone hears is sent. */
export class Live {
  readonly #context: AudioContext;
  readonly #worker: Worker;
  readonly #output: GainNode;

  private constructor(context: AudioContext, worker: Worker, output: GainNode) {
    this.#context = context;
    this.#worker = worker;
    this.#output = output;
  }

  static async open({ personId, connected, reported }: LiveOptions): Promise<Live> {
    const context = new AudioContext({ sampleRate: RATE_HZ, latencyHint: 'interactive' });
    await context.audioWorklet.addModule('/page/player-worklet.ts');
    const player = new AudioWorkletNode(context, 'player', { numberOfInputs: 0, outputChannelCount: [1] });
    const output = context.createGain();
    player.connect(output).connect(context.destination);
    player.port.addEventListener('message', ({ data }: MessageEvent<PlayerReport>) => reported(data));
    player.port.start();
    const worker = new Worker('/page/live-worker.ts', { type: 'module' });
    const live = new Live(context, worker, output);
    const { port1, port2 } = new MessageChannel();
    player.port.postMessage(port1, [port1]);
    live.#tell({ kind: 'player', port: port2 }, [port2]);
    const url = `${location.origin.replace('http', 'ws')}/live?person=${personId}`;
    worker.addEventListener('message', ({ data }: MessageEvent<'open' | 'closed'>) => {
      if (data === 'open') connected();
      else setTimeout(() => live.#tell({ kind: 'open', url }), RECONNECT_MS);
    });
    live.#tell({ kind: 'open', url });
    await context.resume();
    return live;
  }

  /** Sends what the microphone hears from now on. */
  attach(microphone: BrowserMicrophone): void {
    const port = microphone.port();
    this.#tell({ kind: 'capture', port }, [port]);
  }

  gate(gate: Gate): void {
    this.#tell({ kind: 'gate', gate });
  }

  deafen(deaf: boolean): void {
    this.#output.gain.value = deaf ? 0 : 1;
  }

  async close(): Promise<void> {
    this.#worker.terminate();
    await this.#context.close();
  }

  #tell(message: LiveMessage, transfer: Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }
}

/** The browser's microphone, with its own echo cancellation, as 20 ms frames of 24 kHz mono sound. */
export class BrowserMicrophone {
  readonly #context: AudioContext;
  readonly #stream: MediaStream;
  readonly #node: AudioWorkletNode;

  private constructor(context: AudioContext, stream: MediaStream, node: AudioWorkletNode) {
    this.#context = context;
    this.#stream = stream;
    this.#node = node;
  }

  /** Asks for the microphone. Rejects when there is none, or the person does not want to. */
  static async open(): Promise<BrowserMicrophone> {
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 },
    });
    const [context, source] = contextFor(stream);
    await context.audioWorklet.addModule('/page/capture-worklet.ts');
    const node = new AudioWorkletNode(context, 'capture', {
      numberOfOutputs: 0,
      channelCount: 1,
      channelCountMode: 'explicit',
    });
    source.connect(node);
    await context.resume();
    return new BrowserMicrophone(context, stream, node);
  }

  /** Another end that gets every frame. */
  port(): MessagePort {
    const { port1, port2 } = new MessageChannel();
    this.#node.port.postMessage(port1, [port1]);
    return port2;
  }

  async close(): Promise<void> {
    for (const track of this.#stream.getTracks()) track.stop();
    await this.#context.close();
  }
}

/** Firefox takes a microphone only at the device's own rate; then the worklet changes it. */
function contextFor(stream: MediaStream): [AudioContext, MediaStreamAudioSourceNode] {
  const context = new AudioContext({ sampleRate: RATE_HZ, latencyHint: 'interactive' });
  try {
    return [context, context.createMediaStreamSource(stream)];
  } catch {
    void context.close();
    const native = new AudioContext({ latencyHint: 'interactive' });
    return [native, native.createMediaStreamSource(stream)];
  }
}
