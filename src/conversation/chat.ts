import { concatSamples } from '../audio/pcm.ts';
import { UserError } from '../language/user-error.ts';
import { ModelError } from '../model/errors.ts';
import type { Conversation, Model, ReplyDone, ReplyOptions, Speech } from '../model/model.ts';
import { readAloud } from '../model/read-aloud.ts';
import type { Log } from '../telemetry/log.ts';
import type { Memory } from './memory.ts';
import type { Speaker } from './ports.ts';
import type { RememberedTurn } from './remembered-turn.ts';

/** Questions of one channel that may wait for the one being answered. */
const MAX_WAITING = 4;

export interface Question {
  /** From what asked it, such as `interaction:ID`: the same event is answered once. */
  readonly turnId: string;
  readonly conversationId: string;
  readonly guildId: string;
  /** Where the answer appears. */
  readonly shownIn: string;
  readonly author: Speaker;
  readonly prompt: string | undefined;
  readonly speech: Speech | undefined;
  readonly output: 'text' | 'voice';
}

/** Shows an answer to those who asked. */
export type Show = (answer: Answer) => Promise<void>;

export interface Answer {
  readonly text: string;
  /** 24 kHz mono; empty when text was asked for, or when the model answered without sound. */
  readonly samples: Int16Array;
  /** Nothing is remembered just now, and the people here have not been told yet. */
  readonly memoryAway: boolean;
}

/** Answers questions asked by command, one after the other in each channel, as turns of the channel's conversation. */
export class Chat {
  readonly #model: Model;
  readonly #memory: Memory;
  readonly #voiceOf: (conversationId: string) => Promise<string>;
  readonly #log: Log;
  readonly #lines = new Map<string, { waiting: number; last: Promise<unknown> }>();

  /** `voiceOf` says with which voice a conversation is answered. */
  constructor(parts: { model: Model; memory: Memory; voiceOf: (conversationId: string) => Promise<string>; log: Log }) {
    this.#model = parts.model;
    this.#memory = parts.memory;
    this.#voiceOf = parts.voiceOf;
    this.#log = parts.log;
  }

  /**
   * Answers a question and has the answer shown; `false` when it is being answered already, here or by another process. Its
   * people are told should a crash come before they have seen it.
   * @throws {UserError} when the model cannot answer, or when too many questions wait in the channel; what `show` throws.
   */
  async ask(question: Question, show: Show, signal: AbortSignal): Promise<boolean> {
    const answered = await this.#inLine(question, signal);
    if (!answered) return false;
    try {
      await show(answered.answer);
    } finally {
      answered.remembered.seen();
    }
    return true;
  }

  async #inLine(question: Question, signal: AbortSignal): Promise<Answered | undefined> {
    const { conversationId } = question;
    const line = this.#lines.get(conversationId) ?? { waiting: 0, last: Promise.resolve() };
    if (line.waiting >= MAX_WAITING) throw new UserError({ type: 'plain', id: 'busy' });
    this.#lines.set(conversationId, line);
    line.waiting++;
    // Not when its turn has come: what was forgotten meanwhile must not be kept.
    const askedAtMs = Date.now();
    const answer = line.last.then(() => this.#answer(question, askedAtMs, signal));
    line.last = answer.catch(() => {});
    try {
      return await answer;
    } finally {
      line.waiting--;
      if (line.waiting === 0) this.#lines.delete(conversationId);
    }
  }

  async #answer(question: Question, askedAtMs: number, signal: AbortSignal): Promise<Answered | undefined> {
    const { turnId, conversationId, guildId, shownIn, author, output, prompt, speech } = question;
    const remembered = await this.#memory.begin({
      id: turnId,
      conversationId,
      guildId,
      shownIn,
      atMs: askedAtMs,
      utterances: [
        { speakerId: author.id, speakerName: author.name, offsetMs: 0, text: prompt, transcript: undefined, speech },
      ],
    });
    if (!remembered) return undefined;
    try {
      const [conversation, voice] = await Promise.all([remembered.conversation(output), this.#voiceOf(conversationId)]);
      const options = { output, voice };
      const reply = await this.#collect(remembered, conversation, options, signal);
      if (!reply) return undefined;
      const { text, done } = reply;
      await remembered.end({
        state: 'done',
        // A voice message is listened to after this turn has ended, and may never be: the words stand for it.
        reply: text === '' ? undefined : { text, audio: undefined },
        usage: done?.usage,
        failure: undefined,
        isUnseen: true,
      });
      const frames = output === 'voice' ? await this.#aloud(remembered, reply, options, signal) : [];
      this.#log.info({ speechMs: speech?.durationMs ?? 0, output, ...done?.usage }, 'question answered');
      const samples = concatSamples(frames);
      return { remembered, answer: { text, samples, memoryAway: this.#memory.shouldTell(conversationId) } };
    } catch (error) {
      const failure = failureOf(error, signal);
      const state = failure === 'stopped' ? 'interrupted' : 'failed';
      await remembered.end({ state, reply: undefined, usage: undefined, failure });
      // It may have been kept as answered before something went wrong with its sound.
      remembered.seen();
      if (!(error instanceof ModelError)) throw error;
      throw new UserError({ type: 'model', trouble: error.kind }, { cause: error });
    }
  }

  /** Reads the reply to its end; `undefined`: the turn was forgotten meanwhile. */
  async #collect(
    remembered: RememberedTurn,
    conversation: Conversation,
    options: ReplyOptions,
    signal: AbortSignal,
  ): Promise<Reply | undefined> {
    const frames: Int16Array[] = [];
    let text = '';
    let done: ReplyDone | undefined;
    for await (const event of this.#model.respond(conversation, options, signal)) {
      if (!(await remembered.begun())) return undefined;
      switch (event.type) {
        case 'audio':
          frames.push(event.frame);
          break;
        case 'transcript':
        case 'text':
          text += event.delta;
          break;
        case 'done':
          done = event;
          break;
      }
    }
    if (done?.finish === 'filtered') throw new UserError({ type: 'model', trouble: 'filtered-reply' });
    return { text, frames, done };
  }

  /** The reply's sound. A model that answered in words alone, as models do whose history is all words, reads them. */
  async #aloud(
    remembered: RememberedTurn,
    { text, frames }: Reply,
    options: ReplyOptions,
    signal: AbortSignal,
  ): Promise<Int16Array[]> {
    remembered.spoke(frames.length > 0);
    if (frames.length > 0 || text === '') return frames;
    const read: Int16Array[] = [];
    try {
      for await (const event of this.#model.respond(readAloud(text), options, signal)) {
        if (event.type === 'audio') read.push(event.frame);
      }
    } catch (error) {
      if (!signal.aborted && !(error instanceof ModelError)) throw error;
      // The words are there, and half of them as sound would be worse than none.
      this.#log.warn({ err: error }, 'reply not read aloud');
      return [];
    }
    return read;
  }
}

/** A question whose answer is kept. */
interface Answered {
  readonly answer: Answer;
  readonly remembered: RememberedTurn;
}

interface Reply {
  readonly text: string;
  readonly frames: Int16Array[];
  readonly done: ReplyDone | undefined;
}

function failureOf(error: unknown, signal: AbortSignal): string {
  if (error instanceof ModelError) return error.kind;
  if (error instanceof UserError && error.problem.type === 'model') return error.problem.trouble;
  return signal.aborted ? 'stopped' : 'unexpected';
}
