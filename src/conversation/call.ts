import { isAddressed, meaningOver, type OverReply } from './addressed.ts';
import { Answer } from './answer.ts';
import { Attention, type Addressee } from './attention.ts';
import type { CallParts } from './call-parts.ts';
import { GivingWay } from './giving-way.ts';
import { Listener } from './listener.ts';
import type { RunningCall, Speaker } from './ports.ts';
import { isSameTurn, joined, recordsOf, type Turn } from './turn.ts';
import { Understanding } from './understanding.ts';

/** The answer in the making, and what happens around it. */
interface Answering {
  readonly answer: Answer;
  readonly givingWay: GivingWay;
  /** Its turn is over, for what the listener knows. */
  isClosed: boolean;
}

/**
 * Our presence in one voice channel: hears everyone, decides which turns are for us, answers them aloud, and gives way to
 * those who speak over the answer. One turn is answered at a time.
 */
export class Call implements RunningCall {
  readonly ended: Promise<void>;
  readonly #parts: CallParts;
  readonly #signal: AbortSignal;
  readonly #listener: Listener;
  readonly #understanding: Understanding;
  readonly #attention = new Attention();
  /** When somebody said that they do not want to be heard: what they said until then is dropped. */
  readonly #withdrawnAtMs = new Map<string, number>();
  #answering: Answering | undefined;
  /** What is to be answered next. */
  #waiting: Turn | undefined;
  /** What has been said while the room pauses, and nothing since. */
  #pausedTurn: Turn | undefined;
  /** Speech over a reply that asks for no other, found out before it was over. */
  #judged: { readonly turn: Turn; readonly meaning: OverReply } | undefined;
  /** Answers to the present turn that were asked for too early. */
  #dropped = 0;
  #turnNumber = 0;

  /** Listens and answers until the signal aborts; the answer then in the making ends with it. */
  constructor(parts: CallParts, signal: AbortSignal) {
    this.#parts = parts;
    this.#signal = signal;
    this.#listener = new Listener(parts, {
      onVoice: (speaker, atMs, inTurn) => this.#giveWay(speaker, atMs, inTurn),
      onPause: (turn) => this.#paused(turn),
      onTurn: (turn) => this.#over(turn),
      onWithdrawn: (speakerId, atMs) => this.#withdraw(speakerId, atMs),
    });
    this.#understanding = new Understanding(parts, signal);
    this.ended = this.#run();
  }

  stop(): void {
    if (this.#answering?.answer.state === 'released') this.#answering.answer.stop();
  }

  address(personId: string): void {
    this.#attention.addressed(personId, this.#parts.clock.nowMs());
  }

  async #run(): Promise<void> {
    try {
      for await (const event of this.#parts.input.listen(this.#signal)) this.#listener.hear(event);
    } finally {
      this.#listener[Symbol.dispose]();
      this.#answering?.givingWay[Symbol.dispose]();
      this.#waiting = undefined;
      await this.#answering?.answer.ended;
    }
  }

  #giveWay(speaker: Speaker, atMs: number, inTurn: boolean): void {
    this.#parts.interludes.voiced(speaker.id, atMs);
    if (inTurn) this.#pausedTurn = undefined;
    const answering = this.#answering;
    if (!answering) return;
    const { answer, givingWay, isClosed } = answering;
    if (answer.state === 'held' && !isClosed) {
      if (inTurn) this.#dropSpeculation(answer);
      return;
    }
    if (answer.state !== 'held' && answer.state !== 'released') return;
    const isParty = this.#isParty(speaker.id, answer.turn);
    const outcome = givingWay.voiced(speaker.id, atMs, { isParty, inTurn });
    // Nobody has heard anything yet: they had only paused. What they said so far belongs to the turn they are in.
    if (outcome === 'withdrawn') this.#listener.resume(answer.turn);
    // Whom the bot was answering speaks to the bot.
    if (outcome === 'cut' && isParty) this.#attention.addressed(speaker.id, atMs);
  }

  #paused(turn: Turn): void {
    this.#pausedTurn = turn;
    const { answer } = this.#answering ?? {};
    if (!answer) this.#speculate(turn);
    else if (answer.state === 'released' && !answer.barelyBegun) void this.#judge(turn, 'paused');
  }

  #over(said: Turn): void {
    this.#pausedTurn = undefined;
    const turn = this.#consented(said);
    if (!turn) return;
    const answering = this.#answering;
    const state = answering?.answer.state;
    if (answering && state === 'held' && !answering.isClosed) {
      if (isSameTurn(answering.answer.turn, turn)) {
        void this.#settle(answering);
        return;
      }
      this.#dropSpeculation(answering.answer);
    }
    if (state === 'released' && answering?.answer.barelyBegun === false) void this.#judge(turn, 'ended');
    else if (!this.#judged || !isSameTurn(this.#judged.turn, turn)) void this.#consider(turn);
    else if (this.#judged.meaning === 'stop') void this.#overheard(turn);
    this.#judged = undefined;
  }

  #withdraw(speakerId: string, atMs: number): void {
    this.#withdrawnAtMs.set(speakerId, atMs);
    this.#waiting = this.#waiting && this.#consented(this.#waiting);
    this.#pausedTurn = this.#pausedTurn && this.#consented(this.#pausedTurn);
    const answer = this.#answering?.answer;
    if (!answer?.turn.utterances.some(({ speaker }) => speaker.id === speakerId)) return;
    // An answer that has not begun is given anew to the others.
    if (answer.state === 'held' && !this.#answering?.isClosed) this.#dropSpeculation(answer);
    else if (answer.barelyBegun && (answer.state === 'held' || answer.state === 'released')) {
      answer.withdraw();
      this.#listener.resume(answer.turn);
    }
  }

  /** Asks for the answer at the first pause; it is heard when the turn proves to be over. */
  #speculate(turn: Turn): void {
    const { speculation, clock } = this.#parts;
    const addressee = this.#addresseeOf(turn);
    if (addressee === 'words') void this.#understanding.wordsOf(turn);
    if (addressee === 'others' || addressee === 'nobody') return;
    if (addressee === 'words' && !this.#attention.isEngaged(clock.nowMs())) return;
    const voicedMs = turn.utterances.reduce((sum, utterance) => sum + utterance.voicedMs, 0);
    if (!speculation || this.#dropped >= speculation.maxPerTurn || voicedMs > speculation.maxVoicedMs) return;
    this.#begin(turn);
  }

  #dropSpeculation(answer: Answer): void {
    answer.withdraw();
    this.#dropped++;
  }

  /** The turn is over for which an answer is held: it is for us, or the answer is dropped. */
  async #settle(answering: Answering): Promise<void> {
    const { answer } = answering;
    answering.isClosed = true;
    const isOurs = await this.#isOurs(answer.turn);
    if (answer.state !== 'held') return;
    if (isOurs === true) {
      answer.release();
      return;
    }
    answer.withdraw();
    if (isOurs === false) await this.#overheard(answer.turn);
  }

  /** Decides about a turn that is over. */
  async #consider(turn: Turn): Promise<void> {
    const { speculation, clock } = this.#parts;
    const mayPrepare = speculation !== undefined && !this.#answering && this.#attention.isEngaged(clock.nowMs());
    if (mayPrepare && this.#addresseeOf(turn) === 'words') return this.#settle(this.#begin(turn));
    const isOurs = await this.#isOurs(turn);
    if (isOurs === true) this.#ask(turn);
    else if (isOurs === false) await this.#overheard(turn);
  }

  /** Whether a turn is to be answered (`true`), to be remembered, or neither (`undefined`). */
  async #isOurs(turn: Turn): Promise<boolean | undefined> {
    const addressee: Addressee = this.#addresseeOf(turn);
    if (addressee !== 'words') return addressee === 'nobody' ? undefined : addressee === 'us';
    return this.#isCalled(await this.#understanding.wordsOf(turn));
  }

  #isCalled(words: readonly string[] | undefined): boolean {
    return words?.some((one) => isAddressed(one, this.#parts.names)) ?? false;
  }

  #ask(said: Turn): void {
    const turn = this.#consented(said);
    if (!turn) return;
    if (this.#answering) this.#waiting = joined(this.#waiting, turn);
    else this.#begin(turn).answer.release();
  }

  #begin(turn: Turn): Answering {
    const answer = new Answer({
      parts: this.#parts,
      turn,
      number: ++this.#turnNumber,
      dropped: this.#dropped,
      callSignal: this.#signal,
    });
    const answering: Answering = { answer, givingWay: new GivingWay(answer, this.#parts.clock), isClosed: false };
    this.#answering = answering;
    void answer.ended.then(() => this.#answered(answer));
    return answering;
  }

  #answered(answer: Answer): void {
    this.#answering?.givingWay[Symbol.dispose]();
    this.#answering = undefined;
    if (answer.state !== 'withdrawn') {
      const speakers = answer.turn.utterances.map(({ speaker }) => speaker.id);
      this.#attention.answered(speakers, this.#parts.clock.nowMs());
      this.#dropped = 0;
    }
    this.#parts.onPhase('listening');
    const next = this.#waiting;
    this.#waiting = undefined;
    if (this.#signal.aborted) return;
    if (next) this.#ask(next);
    // The same again where it failed while it was held: it is asked once more when the turn is over, and then told of.
    else if (this.#pausedTurn && !isSameTurn(this.#pausedTurn, answer.turn)) this.#speculate(this.#pausedTurn);
  }

  /** Somebody has spoken over the reply: what they said decides what becomes of it, and of them. */
  async #judge(turn: Turn, at: 'paused' | 'ended'): Promise<void> {
    const answering = this.#answering;
    if (!answering) return;
    const { answer, givingWay } = answering;
    const words = await givingWay.until(this.#understanding.wordsOf(turn));
    const isParty = turn.utterances.some(({ speaker }) => this.#isParty(speaker.id, answer.turn));
    const {
      names,
      words: { overReply },
    } = this.#parts;
    const meaning = words === undefined ? 'speech' : meaningOver(words.join(' '), names, overReply);
    if (meaning === 'speech' && (isParty || this.#isCalled(words))) {
      answer.stop();
      for (const { speaker } of turn.utterances) this.#attention.addressed(speaker.id, this.#parts.clock.nowMs());
      if (at === 'ended') await this.#consider(turn);
      return;
    }
    if (meaning === 'stop') answer.stop();
    if (at === 'paused' && meaning !== 'speech') this.#judged = { turn, meaning };
    if (at === 'ended' && meaning !== 'backchannel') await this.#overheard(turn);
  }

  /** Whether a person may interrupt an answer: it is for them, or the room is theirs. */
  #isParty(personId: string, { utterances }: Turn): boolean {
    const { settings, peopleCount } = this.#parts;
    if (settings().answers === 'always' || peopleCount() <= 1) return true;
    return utterances.some(({ speaker }) => speaker.id === personId);
  }

  #addresseeOf(turn: Turn): Addressee {
    const { settings, peopleCount } = this.#parts;
    return this.#attention.addresseeOf(turn, { mode: settings().answers, people: peopleCount() });
  }

  /** Keeps what was said among the people, as words: it may be asked about later. */
  async #overheard(said: Turn): Promise<void> {
    const { memory, conversationId, guildId, callId, clock, log } = this.#parts;
    const words = await this.#understanding.wordsOf(said);
    const turn = this.#consented(said);
    this.#dropped = 0;
    if (!turn) return;
    const records = recordsOf(turn, (utterance) => words?.[said.utterances.indexOf(utterance)]);
    try {
      await memory.overheard({
        id: `call:${callId}:${++this.#turnNumber}`,
        conversationId,
        guildId,
        // When it was said, of which the words come later: what was forgotten between must not be kept.
        atMs: Date.now() - Math.round(clock.nowMs() - Math.max(...turn.utterances.map((one) => one.lastVoicedAtMs))),
        utterances: records,
      });
    } catch (error) {
      log.error({ err: error }, 'turn not remembered');
    }
  }

  /** A turn without what was said by people who withdrew since; `undefined` when nothing is left. */
  #consented({ utterances }: Turn): Turn | undefined {
    const wanted = utterances.filter(
      ({ speaker, startedAtMs }) => startedAtMs > (this.#withdrawnAtMs.get(speaker.id) ?? -Infinity),
    );
    return wanted.length > 0 ? { utterances: wanted } : undefined;
  }
}
