import { describe, expect, it } from 'vitest';

import { FRAME_MS, FRAME_SAMPLES, type Frame } from '../../src/audio/frame.ts';
import { FrameQueue } from '../../src/audio/frame-queue.ts';
import { Call } from '../../src/conversation/call.ts';
import { Memory } from '../../src/conversation/memory.ts';
import type { Playback, Speaker, VoiceInputEvent } from '../../src/conversation/ports.ts';
import { FIXED_RULE } from '../../src/conversation/turn-detector.ts';
import { english } from '../../src/language/english.ts';
import { ModelBusyError } from '../../src/model/errors.ts';
import type { Conversation, ReplyEvent, ReplyOptions, TranscriptEvent } from '../../src/model/model.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { TurnRecord } from '../../src/store/turn-store.ts';
import { monotonicClock } from '../../src/time/clock.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { silentLog } from '../support/silent-log.ts';

const ALICE: Speaker = { id: '1', name: 'Alice' };
const BOB: Speaker = { id: '2', name: 'Bob' };

/** One answer of the scripted model: events that a test releases by hand. */
class ScriptedAnswer {
  readonly conversation: Conversation;
  readonly signal: AbortSignal;
  readonly events = new FrameQueue<ReplyEvent>(10_000);
  failure: Error | undefined;

  constructor(conversation: Conversation, signal: AbortSignal) {
    this.conversation = conversation;
    this.signal = signal;
    signal.addEventListener('abort', () => this.events.end(), { once: true });
  }

  /** What the people are labelled as in the newest turn. */
  get labels(): string[] {
    const parts = this.conversation.messages.at(-1);
    return parts?.role === 'user' ? parts.parts.filter((part) => part.type !== 'speech').map(({ text }) => text) : [];
  }

  speak(words: string, frames: number): void {
    this.events.offer({ type: 'transcript', delta: words });
    for (let i = 0; i < frames; i++)
      this.events.offer({ type: 'audio', frame: new Int16Array(FRAME_SAMPLES).fill(1000) });
  }

  end(): void {
    this.events.offer({ type: 'done', finish: 'stop', audio: undefined, usage: undefined });
    this.events.end();
  }

  fail(error: Error): void {
    this.failure = error;
    this.events.end();
  }
}

/** A room with a scripted model, whose clock and whose playout the test steps. */
class Room {
  readonly clock = new ManualClock();
  readonly captions: string[] = [];
  readonly notices: string[] = [];
  readonly store = openStore({
    location: { kind: 'sqlite', file: ':memory:' },
    keys: undefined,
    clock: monotonicClock,
  });
  readonly #memory: Memory;
  readonly #input = new FrameQueue<VoiceInputEvent>(10_000);
  readonly #answers: ScriptedAnswer[] = [];
  readonly #waiting: ((answer: ScriptedAnswer) => void)[] = [];
  readonly #stop = new AbortController();
  #running: Promise<void>;

  constructor() {
    const model = {
      respond: (conversation: Conversation, _options: ReplyOptions, signal: AbortSignal) =>
        this.#respond(conversation, signal),
      // The words of what was said do not matter here.
      transcribe: async function* (): AsyncGenerator<TranscriptEvent> {},
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
    const call = new Call(
      {
        conversationId: 'room',
        guildId: 'guild',
        callId: 'call',
        input: { listen: () => this.#input },
        output: { play: (frames, signal) => this.#play(frames, signal) },
        interludes: { voiced: () => {}, hold: () => ({ [Symbol.dispose]: () => {} }) },
        captions: { begin: () => this.#caption(), notice: (text) => void this.notices.push(text) },
        model,
        memory: this.#memory,
        settings: () => ({ voice: 'alloy', answers: 'always' }),
        peopleCount: () => 1,
        onPhase: () => {},
        onTimings: () => {},
        words: english,
        rule: FIXED_RULE,
        createVoiceActivity: () => ({ isVoiced: (frame: Frame) => (frame[0] ?? 0) !== 0, [Symbol.dispose]: () => {} }),
        createEncoder: () => ({ encode: () => new Uint8Array([1]), finish: () => new Uint8Array() }),
        clock: this.clock,
        log: silentLog,
      },
      this.#stop.signal,
    );
    this.#running = call.ended;
  }

  /** Someone speaks for this long, a voiced frame every 20 ms of the clock. */
  async speak(speaker: Speaker, durationMs: number): Promise<void> {
    for (let elapsedMs = 0; elapsedMs < durationMs; elapsedMs += FRAME_MS) {
      const frame = new Int16Array(FRAME_SAMPLES).fill(1000);
      this.#input.offer({ type: 'frame', speaker, frame, atMs: this.clock.nowMs(), pauseMs: 0, concealed: false });
      await settle();
      this.clock.advance(FRAME_MS);
      await settle();
    }
  }

  async silence(durationMs: number): Promise<void> {
    for (let elapsedMs = 0; elapsedMs < durationMs; elapsedMs += FRAME_MS) {
      this.clock.advance(FRAME_MS);
      await settle();
    }
  }

  async gone(speaker: Speaker): Promise<void> {
    this.#input.offer({ type: 'gone', speaker, atMs: this.clock.nowMs() });
    await settle();
  }

  /** The next request to the model. */
  asked(): Promise<ScriptedAnswer> {
    const answer = this.#answers.shift();
    if (answer) return Promise.resolve(answer);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Waits, without moving the clock, until so many replies have begun: each step of a turn is kept before it is acted on. */
  async begun(replies: number): Promise<void> {
    while (this.captions.length < replies) await settle();
  }

  get requestsWaiting(): number {
    return this.#answers.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#input.end();
    await this.#running;
    await this.#memory[Symbol.asyncDispose]();
    await this.store[Symbol.asyncDispose]();
  }

  /** The turns that have ended, once there are so many. */
  async turns(count: number): Promise<readonly TurnRecord[]> {
    for (;;) {
      const { turns } = await this.store.conversations.load('room', 100);
      if (turns.length >= count) return turns;
    }
  }

  async *#respond(conversation: Conversation, signal: AbortSignal): AsyncGenerator<ReplyEvent> {
    const answer = new ScriptedAnswer(conversation, signal);
    const waiting = this.#waiting.shift();
    if (waiting) waiting(answer);
    else this.#answers.push(answer);
    yield* answer.events;
    signal.throwIfAborted();
    if (answer.failure) throw answer.failure;
  }

  /** Plays a frame for each 20 ms of the stepped clock. */
  async #play(frames: AsyncIterable<Frame>, signal: AbortSignal): Promise<Playback> {
    let playedFrames = 0;
    let firstFrameAtMs: number | undefined;
    const aborted = new Promise<'aborted'>((resolve) =>
      signal.addEventListener('abort', () => resolve('aborted'), { once: true }),
    );
    const source = frames[Symbol.asyncIterator]();
    for (;;) {
      const next = await Promise.race([source.next(), aborted]);
      if (next === 'aborted') return { playedFrames, firstFrameAtMs, complete: false };
      if (next.done === true) return { playedFrames, firstFrameAtMs, complete: true };
      firstFrameAtMs ??= this.clock.nowMs();
      playedFrames++;
      const due = new Promise<void>((resolve) => void this.clock.after(FRAME_MS, resolve));
      if ((await Promise.race([due, aborted])) === 'aborted') return { playedFrames, firstFrameAtMs, complete: false };
    }
  }

  #caption(): { show(text: string): void; finish(text: string): Promise<void>; discard(): Promise<void> } {
    const index = this.captions.push('') - 1;
    return {
      show: (text) => void (this.captions[index] = text),
      finish: (text) => Promise.resolve(void (this.captions[index] = text)),
      discard: () => Promise.resolve(void (this.captions[index] = '(taken away)')),
    };
  }
}

/** Lets everything that is ready to run, run. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('Call', () => {
  it('asks when the silence after speech is over, and not before', async () => {
    await using room = new Room();
    await room.speak(ALICE, 400);
    await room.silence(FIXED_RULE.silenceMs - 2 * FRAME_MS);
    expect(room.requestsWaiting).toBe(0);
    await room.silence(2 * FRAME_MS);
    expect((await room.asked()).labels).toEqual(['Alice:']);
  });

  it('makes one turn of two people who speak at once', async () => {
    await using room = new Room();
    const bob = room.speak(BOB, 200);
    await Promise.all([bob, settle()]);
    await room.speak(ALICE, 600);
    await room.silence(FIXED_RULE.silenceMs);
    expect((await room.asked()).labels).toEqual(['Bob at 0.0 s:', 'Alice at 0.2 s:']);
  });

  it('speaks the reply, shows its words and remembers both', async () => {
    await using room = new Room();
    await room.speak(ALICE, 400);
    await room.silence(FIXED_RULE.silenceMs);
    const first = await room.asked();
    first.speak('Hello Alice.', 20);
    first.end();
    await room.begun(1);
    await room.silence(1000);
    await room.turns(1);
    expect(room.captions).toEqual(['Hello Alice.']);
    await room.speak(ALICE, 400);
    await room.silence(FIXED_RULE.silenceMs);
    const roles = (await room.asked()).conversation.messages.map((message) => message.role);
    expect(roles).toEqual(['user', 'assistant', 'user']);
  });

  it('stops when someone speaks over the reply, and remembers only what was heard', async () => {
    await using room = new Room();
    await room.speak(ALICE, 400);
    await room.silence(FIXED_RULE.silenceMs);
    const first = await room.asked();
    first.speak('One two three four five six seven eight nine ten.', 200);
    first.end();
    await room.begun(1);
    await room.silence(2000);
    await room.speak(BOB, 300);
    await settle();
    expect(first.signal.aborted).toBe(true);
    expect(room.captions[0]).toMatch(/^One two .*…$/);
    expect(room.captions[0]).not.toContain('ten');
    await room.turns(1);
    await room.silence(FIXED_RULE.silenceMs);
    const second = await room.asked();
    const assistant = second.conversation.messages.find((message) => message.role === 'assistant');
    expect(`${assistant?.text}…`).toBe(room.captions[0]);
    expect(second.labels).toEqual(['Bob:']);
  });

  it('goes on through a click', async () => {
    await using room = new Room();
    await room.speak(ALICE, 400);
    await room.silence(FIXED_RULE.silenceMs);
    const answer = await room.asked();
    answer.speak('One two three.', 100);
    answer.end();
    await room.begun(1);
    await room.silence(500);
    await room.speak(BOB, 40);
    await room.silence(2500);
    await room.turns(1);
    expect(room.captions).toEqual(['One two three.']);
  });

  it('takes a pause for no end when the speaker goes on before anything was heard', async () => {
    await using room = new Room();
    await room.speak(ALICE, 400);
    await room.silence(FIXED_RULE.silenceMs);
    const early = await room.asked();
    await room.speak(ALICE, 400);
    expect(early.signal.aborted).toBe(true);
    await room.silence(FIXED_RULE.silenceMs);
    const whole = await room.asked();
    expect(whole.labels).toEqual(['Alice at 0.0 s:', 'Alice at 0.9 s:']);
    expect(whole.conversation.messages).toHaveLength(1);
  });

  it('ends the turn at once when its speaker leaves', async () => {
    await using room = new Room();
    await room.speak(ALICE, 400);
    await room.gone(ALICE);
    expect((await room.asked()).labels).toEqual(['Alice:']);
  });

  it('tells the room when the model fails, and answers the next turn', async () => {
    await using room = new Room();
    await room.speak(ALICE, 400);
    await room.silence(FIXED_RULE.silenceMs);
    (await room.asked()).fail(new ModelBusyError({ operatorHint: 'wait' }));
    await room.turns(1);
    expect(room.notices).toEqual([english.modelErrors.busy]);
    await room.speak(ALICE, 400);
    await room.silence(FIXED_RULE.silenceMs);
    const next = await room.asked();
    next.speak('Here I am.', 20);
    next.end();
    await room.begun(1);
    await room.silence(1000);
    await room.turns(2);
    expect(room.captions).toEqual(['Here I am.']);
  });

  it('keeps what was spoken of a reply that broke off, and says so', async () => {
    await using room = new Room();
    await room.speak(ALICE, 400);
    await room.silence(FIXED_RULE.silenceMs);
    const answer = await room.asked();
    answer.speak('The first half of it', 50);
    answer.fail(new ModelBusyError({ operatorHint: 'wait' }));
    await room.begun(1);
    await room.silence(2000);
    const [turn] = await room.turns(1);
    expect(room.captions[0]).toMatch(/^The first half.*…$/);
    expect(room.notices).toHaveLength(1);
    expect(turn?.state).toBe('failed');
    expect(turn?.reply?.audio).toBeUndefined();
  });
});
