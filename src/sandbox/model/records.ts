import { concatSamples } from '../../audio/pcm.ts';
import { encodeWav } from '../../audio/wav.ts';
import type { Clock } from '../../time/clock.ts';
import type { ModelRequestRecord, SandboxEvent } from '../control/protocol.ts';

/** Requests that are remembered; the oldest is forgotten first. */
const MAX_RECORDS = 2_000;
/** Requests whose sound is kept; in older ones `wav` is empty. */
const MAX_RECORDS_WITH_SOUND = 200;
/** Sound kept in all. The newest request keeps its own, whatever its size. */
const MAX_SOUND_BYTES = 128 * 1024 * 1024;

export type Endpoint = ModelRequestRecord['endpoint'];

/** Sound that came with a request. */
export interface ReceivedAudio {
  readonly format: string;
  readonly bytes: Uint8Array;
  /** 24 kHz mono, when it could be decoded. */
  readonly samples: Int16Array | undefined;
}

/** One request while it is answered, and its record afterwards. */
export class RequestEntry {
  readonly id: string;
  readonly endpoint: Endpoint;
  readonly path: string;
  readonly atMs: number;
  readonly bodyBytes: number;
  auth: ModelRequestRecord['auth'] = 'none';
  body: unknown = undefined;
  audio: readonly ReceivedAudio[] = [];
  audioId: string | undefined;
  readonly #clock: Clock;
  readonly #emit: (event: SandboxEvent) => void;
  #status: number | undefined;
  #firstByteAtMs: number | undefined;
  #firstAudioAtMs: number | undefined;
  #endedAtMs: number | undefined;
  #abandoned = false;
  #replyText = '';
  #replySound: Int16Array[] = [];
  #soundForgotten = false;

  constructor(
    request: Pick<ModelRequestRecord, 'id' | 'endpoint' | 'path' | 'atMs' | 'bodyBytes'>,
    clock: Clock,
    emit: (event: SandboxEvent) => void,
  ) {
    this.id = request.id;
    this.endpoint = request.endpoint;
    this.path = request.path;
    this.atMs = request.atMs;
    this.bodyBytes = request.bodyBytes;
    this.#clock = clock;
    this.#emit = emit;
  }

  /** The head of the answer has been written. */
  headSent(status: number): void {
    this.#status = status;
    this.#firstByteAtMs = this.#clock.nowMs();
  }

  /** Words have been written. */
  wordsSent(words: string): void {
    this.#replyText += words;
  }

  /** Sound has been written. */
  soundSent(samples: Int16Array): void {
    this.#replySound.push(samples);
    if (this.#firstAudioAtMs !== undefined) return;
    this.#firstAudioAtMs = this.#clock.nowMs();
    this.#emit({ type: 'model-first-audio', atMs: this.#firstAudioAtMs, requestId: this.id });
  }

  /** The connection's part in this request is over. Only the first call counts. */
  ended(abandoned: boolean): void {
    if (this.#endedAtMs !== undefined) return;
    this.#endedAtMs = this.#clock.nowMs();
    this.#abandoned = abandoned;
    this.#emit({ type: 'model-ended', atMs: this.#endedAtMs, requestId: this.id, abandoned });
  }

  get soundBytes(): number {
    const received = this.audio.reduce((sum, { bytes, samples }) => sum + bytes.length + (samples?.byteLength ?? 0), 0);
    return received + this.#replySound.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  forgetSound(): void {
    if (this.#soundForgotten) return;
    this.#soundForgotten = true;
    const nothing = new Uint8Array(0);
    this.audio = this.audio.map(({ format }) => ({ format, bytes: nothing, samples: undefined }));
    this.#replySound = [];
  }

  snapshot(sound: boolean): ModelRequestRecord {
    return {
      id: this.id,
      endpoint: this.endpoint,
      path: this.path,
      auth: this.auth,
      atMs: this.atMs,
      bodyBytes: this.bodyBytes,
      body: this.body,
      audio: this.audio.map(({ format, bytes, samples }) => ({
        format,
        bytes: bytes.length,
        wav: sound ? wavOf(format, bytes, samples) : '',
      })),
      ...(this.#status === undefined ? {} : { status: this.#status }),
      ...(this.#firstByteAtMs === undefined ? {} : { firstByteAtMs: this.#firstByteAtMs }),
      ...(this.#firstAudioAtMs === undefined ? {} : { firstAudioAtMs: this.#firstAudioAtMs }),
      ...(this.#endedAtMs === undefined ? {} : { endedAtMs: this.#endedAtMs }),
      abandoned: this.#abandoned,
      ...this.#reply(sound),
    };
  }

  #reply(withSound: boolean): Pick<ModelRequestRecord, 'reply'> {
    if (this.#replyText === '' && this.#firstAudioAtMs === undefined) return {};
    const sound = concatSamples(withSound ? this.#replySound : []);
    return {
      reply: {
        text: this.#replyText,
        ...(sound.length === 0 ? {} : { wav: base64(encodeWav(sound)) }),
        ...(this.audioId === undefined ? {} : { audioId: this.audioId }),
      },
    };
  }
}

/** The requests the model server has had, oldest first, with bounded memory. */
export class RequestLog {
  readonly #clock: Clock;
  readonly #emit: (event: SandboxEvent) => void;
  readonly #entries: RequestEntry[] = [];
  #nextId = 1;

  constructor(clock: Clock, emit: (event: SandboxEvent) => void) {
    this.#clock = clock;
    this.#emit = emit;
  }

  /** Begins the record of a request whose last byte has just arrived. */
  begin(endpoint: Endpoint, path: string, bodyBytes: number): RequestEntry {
    const atMs = this.#clock.nowMs();
    const id = `request-${this.#nextId++}`;
    const entry = new RequestEntry({ id, endpoint, path, atMs, bodyBytes }, this.#clock, this.#emit);
    this.#entries.push(entry);
    if (this.#entries.length > MAX_RECORDS) this.#entries.shift();
    this.#forgetOldSound();
    this.#emit({ type: 'model-request', atMs, requestId: id, endpoint });
    return entry;
  }

  snapshots(sinceMs: number, limit = this.#entries.length, sound = true): ModelRequestRecord[] {
    return this.#entries
      .filter(({ atMs }) => atMs >= sinceMs)
      .slice(0, limit)
      .map((entry) => entry.snapshot(sound));
  }

  #forgetOldSound(): void {
    let bytes = 0;
    for (const [age, entry] of this.#entries.toReversed().entries()) {
      bytes += entry.soundBytes;
      if (age >= MAX_RECORDS_WITH_SOUND || (age > 0 && bytes > MAX_SOUND_BYTES)) entry.forgetSound();
    }
  }
}

function wavOf(format: string, bytes: Uint8Array, samples: Int16Array | undefined): string {
  if (format === 'wav') return base64(bytes);
  return samples === undefined ? '' : base64(encodeWav(samples));
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
