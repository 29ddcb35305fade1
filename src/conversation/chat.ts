import { concatSamples } from '../audio/pcm.ts';
import { UserError } from '../language/user-error.ts';
import { ModelError } from '../model/errors.ts';
import type { Model, ReplyDone, Speech } from '../model/model.ts';
import type { StoredUtterance } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';
import type { History } from './history.ts';
import type { Speaker } from './ports.ts';

/** Questions of one channel that may wait for the one being answered. */
const MAX_WAITING = 4;

export interface Question {
  readonly conversationId: string;
  readonly author: Speaker;
  readonly prompt: string | undefined;
  readonly speech: Speech | undefined;
  readonly output: 'text' | 'voice';
}

export interface Answer {
  readonly text: string;
  /** 24 kHz mono; empty when text was asked for, or when the model answered without sound. */
  readonly samples: Int16Array;
}

/** Answers questions asked by command, one after the other in each channel, as turns of the channel's conversation. */
export class Chat {
  readonly #model: Model;
  readonly #history: History;
  readonly #voice: string;
  readonly #log: Log;
  readonly #lines = new Map<string, { waiting: number; last: Promise<unknown> }>();

  constructor(parts: { model: Model; history: History; voice: string; log: Log }) {
    this.#model = parts.model;
    this.#history = parts.history;
    this.#voice = parts.voice;
    this.#log = parts.log;
  }

  /**
   * Answers a question.
   * @throws {UserError} when the model cannot answer, or when too many questions wait in the channel.
   */
  async ask(question: Question, signal: AbortSignal): Promise<Answer> {
    const { conversationId } = question;
    const line = this.#lines.get(conversationId) ?? { waiting: 0, last: Promise.resolve() };
    if (line.waiting >= MAX_WAITING) throw new UserError({ type: 'plain', id: 'busy' });
    this.#lines.set(conversationId, line);
    line.waiting++;
    const answer = line.last.then(() => this.#answer(question, signal));
    line.last = answer.catch(() => {});
    try {
      return await answer;
    } finally {
      line.waiting--;
      if (line.waiting === 0) this.#lines.delete(conversationId);
    }
  }

  async #answer(question: Question, signal: AbortSignal): Promise<Answer> {
    const { conversationId, author, output } = question;
    const utterances: StoredUtterance[] = [
      {
        speakerId: author.id,
        speakerName: author.name,
        offsetMs: 0,
        text: question.prompt,
        speech: question.speech,
      },
    ];
    const conversation = await this.#history.conversation(conversationId, utterances);
    const frames: Int16Array[] = [];
    let text = '';
    let done: ReplyDone | undefined;
    try {
      for await (const event of this.#model.respond(conversation, { output, voice: this.#voice }, signal)) {
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
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      throw new UserError({ type: 'model', trouble: error.kind }, { cause: error });
    }
    if (done?.finish === 'filtered') throw new UserError({ type: 'model', trouble: 'filtered-reply' });
    await this.#history.record(conversationId, {
      atMs: Date.now(),
      utterances,
      // A voice message is listened to after this turn has ended, and may never be: the words stand for it.
      reply: text === '' ? undefined : { text, audio: undefined },
    });
    this.#log.info(
      { speechMs: question.speech?.durationMs ?? 0, output, finish: done?.finish, ...done?.usage },
      'question answered',
    );
    return { text, samples: concatSamples(frames) };
  }
}
