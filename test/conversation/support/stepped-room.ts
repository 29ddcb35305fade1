import { FRAME_MS, FRAME_SAMPLES, type Frame } from '../../../src/audio/frame.ts';
import { levelDbfs } from '../../../src/audio/level.ts';
import { FrameQueue } from '../../../src/audio/frame-queue.ts';
import { Call } from '../../../src/conversation/call.ts';
import { EchoGate } from '../../../src/conversation/echo-gate.ts';
import { Memory } from '../../../src/conversation/memory.ts';
import type {
  AnswerMode,
  Caption,
  CallPhase,
  Playback,
  Speaker,
  VoiceInputEvent,
} from '../../../src/conversation/ports.ts';
import { FIXED_RULE } from '../../../src/conversation/turn-detector.ts';
import type { TurnTimings } from '../../../src/conversation/turn-timings.ts';
import { english } from '../../../src/language/english.ts';
import { ServerFaultError } from '../../../src/model/errors.ts';
import type { Conversation, ReplyEvent, ReplyOptions, Speech, TranscriptEvent } from '../../../src/model/model.ts';
import { openStore } from '../../../src/store/open-store.ts';
import type { TurnRecord } from '../../../src/store/turn-store.ts';
import { whenAborted } from '../../../src/time/aborted.ts';
import { monotonicClock } from '../../../src/time/clock.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { silentLog } from '../../support/silent-log.ts';

export const ALICE: Speaker = { id: '1', name: 'Alice' };
export const BOB: Speaker = { id: '2', name: 'Bob' };
export const CAROL: Speaker = { id: '3', name: 'Carol' };

/** One answer of the scripted model: events that a test releases by hand. */
class ScriptedAnswer {
  readonly conversation: Conversation;
  readonly options: ReplyOptions;
  readonly signal: AbortSignal;
  readonly events = new FrameQueue<ReplyEvent>(10_000);
  failure: Error | undefined;
  #frames = 0;

  constructor(conversation: Conversation, options: ReplyOptions, signal: AbortSignal) {
    this.conversation = conversation;
    this.options = options;
    this.signal = signal;
    signal.addEventListener('abort', () => this.events.end(), { once: true });
  }

  /** What the people are labelled as in the newest turn. */
  get labels(): string[] {
    return this.#words(this.conversation.messages.length - 1);
  }

  /** Every word of the request, a message an item. */
  get words(): string[] {
    return this.conversation.messages.map((message, index) =>
      message.role === 'assistant' ? message.text : this.#words(index).join(' '),
    );
  }

  say(words: string, frames: readonly Frame[]): void {
    this.events.offer({ type: 'transcript', delta: words });
    for (const frame of frames) this.events.offer({ type: 'audio', frame });
  }

  /** Frames that can be told apart, at any volume. */
  speak(words: string, frames: number): void {
    this.events.offer({ type: 'transcript', delta: words });
    for (let i = 0; i < frames; i++) this.events.offer({ type: 'audio', frame: numbered(this.#frames++) });
  }

  end(): void {
    this.events.offer({ type: 'done', finish: 'stop', audio: undefined, usage: undefined });
    this.events.end();
  }

  fail(error: Error): void {
    this.failure = error;
    this.events.end();
  }

  #words(index: number): string[] {
    const message = this.conversation.messages[index];
    if (message?.role !== 'user') return [];
    return message.parts.flatMap((part) => (part.type === 'speech' ? [] : [part.text]));
  }
}

export interface PlayedFrame {
  /** Its place in the reply. */
  readonly number: number;
  readonly gain: number;
}

export interface RoomOptions {
  readonly answers?: AnswerMode;
  readonly people?: number;
  readonly speculates?: boolean;
  /** Whose loudspeaker sends the bot's voice back into their microphone, how much later and how much quieter. */
  readonly echo?: { readonly speaker: Speaker; readonly delayMs: number; readonly gainDb: number };
}

/** A call with a scripted model, whose clock and whose playout the test steps. */
export class SteppedRoom {
  readonly clock = new ManualClock();
  /** The bot's captions, and those of people as `NAME: words`. */
  readonly captions: string[] = [];
  readonly said: string[] = [];
  readonly notices: string[] = [];
  readonly phases: CallPhase[] = [];
  readonly timings: TurnTimings[] = [];
  /** What went out: the number of each frame, and how loud it was against the model's own. */
  readonly played: PlayedFrame[] = [];
  readonly call: Call;
  answers: AnswerMode;
  people: number;
  /** Nothing can be written down. */
  isDeaf = false;
  readonly store = openStore({
    location: { kind: 'sqlite', file: ':memory:' },
    keys: undefined,
    clock: monotonicClock,
  });
  readonly #options: RoomOptions;
  readonly #echoes = new EchoGate();
  readonly #memory: Memory;
  readonly #input = new FrameQueue<VoiceInputEvent>(10_000);
  readonly #answers: ScriptedAnswer[] = [];
  readonly #waiting: ((answer: ScriptedAnswer) => void)[] = [];
  readonly #stop = new AbortController();
  /** What was said, by the number its frames carry. */
  readonly #words: string[] = [''];

  constructor(options: RoomOptions = {}) {
    const { answers = 'always', people = 1, speculates = false } = options;
    this.#options = options;
    this.answers = answers;
    this.people = people;
    const model = {
      respond: (conversation: Conversation, options: ReplyOptions, signal: AbortSignal) =>
        this.#respond(conversation, options, signal),
      transcribe: (speech: Speech) => this.#transcribe(speech),
    };
    this.#memory = new Memory({
      store: this.store,
      model,
      botName: 'Parley',
      tokenBudget: 10_000,
      hasOptedOut: () => false,
      clock: monotonicClock,
      log: silentLog,
    });
    this.call = new Call(
      {
        conversationId: 'room',
        guildId: 'guild',
        shownIn: 'text',
        callId: 'call',
        input: { listen: () => this.#input },
        output: { play: (frames, signal) => this.#play(frames, signal) },
        echoes: this.#echoes,
        interludes: { voiced: () => {}, hold: () => ({ [Symbol.dispose]: () => {} }) },
        captions: { begin: (speaker) => this.#caption(speaker), notice: (text) => void this.notices.push(text) },
        model,
        memory: this.#memory,
        settings: () => ({ voice: 'alloy', answers: this.answers }),
        peopleCount: () => this.people,
        onSpeech: () => {},
        onPhase: (phase) => void this.phases.push(phase),
        onTimings: (timings) => void this.timings.push(timings),
        words: english,
        rule: FIXED_RULE,
        adapts: false,
        speculation: speculates ? { maxPerTurn: 3, maxVoicedMs: 10_000 } : undefined,
        names: ['Parley'],
        createVoiceActivity: () => ({ isVoiced: (frame: Frame) => (frame[0] ?? 0) !== 0, [Symbol.dispose]: () => {} }),
        createEncoder: () => ({ encode: (frame: Frame) => Uint8Array.of(frame[0] ?? 0), [Symbol.dispose]: () => {} }),
        clock: this.clock,
        log: silentLog,
      },
      this.#stop.signal,
    );
  }

  /** Someone speaks for this long, a voiced frame every 20 ms of the clock. */
  async speak(speaker: Speaker, durationMs: number, words = 'Something.'): Promise<void> {
    const number = this.#words.push(words) - 1;
    for (let elapsedMs = 0; elapsedMs < durationMs; elapsedMs += FRAME_MS) {
      const frame = new Int16Array(FRAME_SAMPLES).fill(number);
      this.#input.offer({ type: 'frame', speaker, frame, atMs: this.clock.nowMs(), pauseMs: 0, concealed: false });
      await settle();
      this.clock.advance(FRAME_MS);
      await settle();
    }
    this.#input.offer({ type: 'silence', speaker, atMs: this.clock.nowMs() });
    await settle();
  }

  async silence(durationMs: number): Promise<void> {
    for (let elapsedMs = 0; elapsedMs < durationMs; elapsedMs += FRAME_MS) {
      this.clock.advance(FRAME_MS);
      await settle();
    }
  }

  /** Someone speaks, and the turn is over. */
  async say(speaker: Speaker, words: string, durationMs = 400): Promise<void> {
    await this.speak(speaker, durationMs, words);
    await this.silence(FIXED_RULE.silenceMs);
  }

  async gone(speaker: Speaker): Promise<void> {
    this.#input.offer({ type: 'gone', speaker, atMs: this.clock.nowMs() });
    await settle();
  }

  async withdrawn(speaker: Speaker): Promise<void> {
    this.#input.offer({ type: 'withdrawn', speaker, atMs: this.clock.nowMs() });
    await settle();
  }

  /** The next request for an answer. */
  asked(): Promise<ScriptedAnswer> {
    const answer = this.#answers.shift();
    if (answer) return Promise.resolve(answer);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  get requestsWaiting(): number {
    return this.#answers.length;
  }

  /** Waits, without moving the clock, until it is so: each step of a turn is kept before it is acted on. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await settle();
  }

  /** Waits, without moving the clock, until so many replies are shown. */
  begun(replies: number): Promise<void> {
    return this.until(() => this.captions.length >= replies);
  }

  /** The turns that have ended, once there are so many. */
  async turns(count: number): Promise<readonly TurnRecord[]> {
    for (;;) {
      const { turns } = await this.store.conversations.load('room', 100);
      if (turns.length >= count) return turns;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#input.end();
    await this.call.ended;
    await this.#memory[Symbol.asyncDispose]();
    await this.store[Symbol.asyncDispose]();
  }

  async *#respond(conversation: Conversation, options: ReplyOptions, signal: AbortSignal): AsyncGenerator<ReplyEvent> {
    const answer = new ScriptedAnswer(conversation, options, signal);
    const waiting = this.#waiting.shift();
    if (waiting) waiting(answer);
    else this.#answers.push(answer);
    yield* answer.events;
    signal.throwIfAborted();
    if (answer.failure) throw answer.failure;
  }

  async *#transcribe({ data }: Speech): AsyncGenerator<TranscriptEvent> {
    if (this.isDeaf) throw new ServerFaultError({ operatorHint: 'wait' });
    const spoken = [...new Set(data)].map((number) => this.#words[number] ?? '');
    await settle();
    yield { type: 'done', text: spoken.filter((words) => words !== '').join(' ') };
  }

  /** Plays a frame for each 20 ms of the stepped clock. */
  async #play(frames: AsyncIterable<Frame>, signal: AbortSignal): Promise<Playback> {
    let playedFrames = 0;
    let firstFrameAtMs: number | undefined;
    const aborted = whenAborted(signal).then(() => 'aborted' as const);
    const source = frames[Symbol.asyncIterator]();
    for (;;) {
      const next = await Promise.race([source.next(), aborted]);
      if (next === 'aborted') return { playedFrames, firstFrameAtMs, complete: false };
      if (next.done === true) return { playedFrames, firstFrameAtMs, complete: true };
      firstFrameAtMs ??= this.clock.nowMs();
      this.played.push(readNumbered(next.value));
      this.#resound(next.value);
      playedFrames++;
      const due = new Promise<void>((resolve) => void this.clock.after(FRAME_MS, resolve));
      if ((await Promise.race([due, aborted])) === 'aborted') return { playedFrames, firstFrameAtMs, complete: false };
    }
  }

  #resound(frame: Frame): void {
    this.#echoes.sent(levelDbfs(frame), this.clock.nowMs());
    const { echo } = this.#options;
    if (!echo) return;
    const { speaker, delayMs, gainDb } = echo;
    this.clock.after(delayMs, () => {
      const back = frame.map((sample) => sample * 10 ** (gainDb / 20));
      const atMs = this.clock.nowMs();
      this.#input.offer({ type: 'frame', speaker, frame: back, atMs, pauseMs: 0, concealed: false });
    });
  }

  #caption(speaker: Speaker | undefined): Caption {
    const list = speaker ? this.said : this.captions;
    const label = speaker ? `${speaker.name}: ` : '';
    const index = list.push('') - 1;
    return {
      show: (text) => void (list[index] = label + text),
      finish: (text) => Promise.resolve(void (list[index] = label + text)),
      discard: () => Promise.resolve(void (list[index] = '(taken away)')),
    };
  }
}

/** Its last three samples say its volume and its number. */
function numbered(number: number): Frame {
  const frame = new Int16Array(FRAME_SAMPLES).fill(1000);
  frame.set([10_000, 1000 + number * 10, 10_000], FRAME_SAMPLES - 3);
  return frame;
}

function readNumbered(frame: Frame): PlayedFrame {
  const [before = 1, mark = 0, after = 1] = frame.subarray(FRAME_SAMPLES - 3);
  return { number: Math.round(((mark / (before + after)) * 20_000 - 1000) / 10), gain: after / 10_000 };
}

/** Lets everything that is ready to run, run. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
