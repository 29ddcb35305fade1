import type { ModelRequestRecord, SandboxEvent } from '../../control/protocol.ts';

/** Turns kept; the oldest are forgotten first. */
const MAX_TURNS = 60;
/** Stretches of speech that wait for a request. */
const MAX_STRETCHES = 20;
/** Silence that a reply may begin and end with. */
const LONGEST_SILENCE_MS = 1500;
/** A reply that was spoken over counts as heard whole when no more than this is missing. */
const HEARD_WHOLE_MS = 250;
/** A reply that goes on within this time has paused; later, it is another one. */
const LONGEST_PAUSE_MS = 2000;

export interface Stretch {
  readonly userId: string;
  readonly fromMs: number;
  readonly toMs?: number;
}

/** A request that was made while somebody might have finished, and given up when they went on. */
export interface Dropped {
  readonly fromMs: number;
  readonly toMs: number;
}

/** One request to the model with everything around it, in the sandbox's milliseconds. */
export interface Turn {
  readonly id: string;
  readonly number: number;
  /** `unseen`: the model is not the sandbox's, so that only what is heard can be told. */
  readonly endpoint: 'chat' | 'transcription' | 'unseen';
  /** Of an unseen one, when it was answered. */
  readonly requestAtMs: number;
  /** Earlier requests of this turn. */
  readonly dropped: readonly Dropped[];
  /** What people had said before it. */
  readonly speech: readonly Stretch[];
  /** What people said over the reply. */
  readonly over: readonly Stretch[];
  readonly firstAudioAtMs?: number;
  readonly endedAtMs?: number;
  readonly abandoned: boolean;
  readonly reply?: Stretch;
  /** From the request's record, once it is complete. */
  readonly firstByteAtMs?: number;
  readonly status?: number;
  readonly replyText?: string;
  readonly replyMs?: number;
}

export type TurnState = 'asking' | 'speaking' | 'heard' | 'cut' | 'abandoned' | 'failed' | 'done';

export interface Figures {
  readonly endOfTurn?: number;
  readonly firstByte?: number;
  readonly firstAudio?: number;
  readonly bot?: number;
  readonly total?: number;
  readonly played?: number;
}

/** Puts turns together from what happens in the sandbox. */
export class TurnLog {
  turns: readonly Turn[] = [];
  #number = 0;
  #stretches: readonly Stretch[] = [];

  /** True when something has changed. */
  take(event: SandboxEvent): boolean {
    switch (event.type) {
      case 'person-speaking':
        if (event.speaking) this.#begin(event.personId, event.atMs);
        else this.#end(event.personId, event.lastVoiceAtMs ?? event.atMs);
        return true;
      case 'model-request':
        if (event.endpoint === 'token') return false;
        this.#asked(event.requestId, event.endpoint, event.atMs);
        return true;
      case 'model-first-audio':
        return this.#change(event.requestId, { firstAudioAtMs: event.atMs });
      case 'model-ended':
        this.#change(event.requestId, { endedAtMs: event.atMs, abandoned: event.abandoned });
        this.#gather();
        return true;
      case 'bot-speaking':
        this.#botSpeaking(event.speaking, event.speaking ? event.atMs : (event.lastVoiceAtMs ?? event.atMs));
        return true;
      case 'bot-online':
      case 'bot-offline':
      case 'bot-voice-ready':
      case 'bot-voice-gone':
      case 'commands-registered':
      case 'interaction-updated':
      case 'message-created':
      case 'message-updated':
      case 'message-deleted':
      case 'voice-state':
        return false;
    }
  }

  /** What the model's record adds to a turn. */
  record(record: ModelRequestRecord): void {
    const { firstByteAtMs, status, reply } = record;
    const bytes = reply?.wav === undefined ? undefined : Math.floor((reply.wav.length * 3) / 4) - 44;
    this.#change(record.id, {
      ...(firstByteAtMs === undefined ? {} : { firstByteAtMs }),
      ...(status === undefined ? {} : { status }),
      ...(reply === undefined ? {} : { replyText: reply.text }),
      ...(bytes === undefined ? {} : { replyMs: bytes / 48 }),
    });
  }

  #begin(userId: string, atMs: number): void {
    const stretch: Stretch = { userId, fromMs: atMs };
    this.#stretches = [...this.#stretches, stretch].slice(-MAX_STRETCHES);
    const last = this.turns.findLast(({ reply }) => reply !== undefined && reply.toMs === undefined);
    if (last) this.#change(last.id, { over: [...last.over, stretch] });
  }

  #end(userId: string, toMs: number): void {
    const ended = (stretch: Stretch): Stretch =>
      stretch.userId === userId && stretch.toMs === undefined ? { ...stretch, toMs } : stretch;
    this.#stretches = this.#stretches.map(ended);
    this.turns = this.turns.map((turn) => ({ ...turn, speech: turn.speech.map(ended), over: turn.over.map(ended) }));
  }

  #asked(id: string, endpoint: Turn['endpoint'], requestAtMs: number): void {
    // Who still speaks may be asked for already, when they paused: the end of what they said comes later.
    const speech = endpoint === 'transcription' ? [] : this.#stretches.filter(({ fromMs }) => fromMs < requestAtMs);
    this.#number += 1;
    const turn: Turn = {
      id,
      number: this.#number,
      endpoint,
      requestAtMs,
      dropped: [],
      speech,
      over: [],
      abandoned: false,
    };
    this.turns = [...this.turns, turn].slice(-MAX_TURNS);
    this.#gather();
  }

  /** What was asked and given up before anything of it was heard belongs to the turn that was asked again with the same speech. */
  #gather(): void {
    for (const early of this.turns) {
      if (!early.abandoned || early.reply || early.speech.length === 0) continue;
      const whole = this.turns.find(
        ({ number, speech }) =>
          number > early.number && speech.some(({ fromMs }) => early.speech.some((one) => one.fromMs === fromMs)),
      );
      if (!whole) continue;
      const dropped = [...early.dropped, { fromMs: early.requestAtMs, toMs: early.endedAtMs ?? whole.requestAtMs }];
      this.turns = this.turns.filter(({ id }) => id !== early.id);
      this.#change(whole.id, { dropped: [...dropped, ...whole.dropped] });
    }
  }

  #botSpeaking(speaking: boolean, atMs: number): void {
    if (!speaking) {
      const open = this.turns.findLast(({ reply }) => reply !== undefined && reply.toMs === undefined);
      if (open?.reply) this.#change(open.id, { reply: { ...open.reply, toMs: atMs } });
      return;
    }
    const answered = this.#answeredAt(atMs);
    if (!answered) return;
    // A reply that pauses goes on where it was.
    this.#change(answered.id, { reply: { userId: 'bot', fromMs: answered.reply?.fromMs ?? atMs } });
    this.#stretches = this.#stretches.filter(({ toMs }) => toMs === undefined || toMs > answered.requestAtMs);
  }

  /** The turn whose answer begins to be heard now, or goes on. */
  #answeredAt(atMs: number): Turn | undefined {
    const last = this.turns.findLast(({ reply }) => reply !== undefined);
    const waiting = this.turns.filter(
      ({ number, firstAudioAtMs, abandoned }) =>
        number > (last?.number ?? 0) && firstAudioAtMs !== undefined && !abandoned,
    );
    const spoken = waiting.findLast(({ speech }) => speech.length > 0);
    if (spoken) return spoken;
    if (last?.reply?.toMs !== undefined && last.reply.toMs > atMs - LONGEST_PAUSE_MS) return last;
    // What was asked in writing may be answered aloud.
    if (waiting.length > 0) return waiting.at(-1);
    if (this.#stretches.length === 0 || this.turns.some(({ endpoint }) => endpoint !== 'unseen')) return undefined;
    this.#asked(`unseen-${this.#number + 1}`, 'unseen', atMs);
    return this.turns.at(-1);
  }

  #change(id: string, change: Partial<Turn>): boolean {
    if (!this.turns.some((turn) => turn.id === id)) return false;
    this.turns = this.turns.map((turn) => (turn.id === id ? { ...turn, ...change } : turn));
    return true;
  }
}

export function stateOf(turn: Turn): TurnState {
  if (turn.status !== undefined && turn.status >= 400) return 'failed';
  const { reply, replyMs } = turn;
  if (reply) {
    if (reply.toMs === undefined) return 'speaking';
    const playedMs = reply.toMs - reply.fromMs;
    const missingMs = replyMs === undefined ? 0 : replyMs - playedMs;
    // Silence at the ends of a reply need not be played; whoever speaks over it makes the difference.
    if (turn.abandoned || missingMs > (turn.over.length > 0 ? HEARD_WHOLE_MS : LONGEST_SILENCE_MS)) return 'cut';
    return 'heard';
  }
  if (turn.endedAtMs === undefined) return 'asking';
  return turn.abandoned ? 'abandoned' : 'done';
}

/** A turn's milliseconds. What was not, or cannot be told, is absent. */
export function figuresOf(turn: Turn): Figures {
  const spokenTo = Math.max(...turn.speech.map(({ toMs }) => toMs ?? Number.NEGATIVE_INFINITY));
  const entries: readonly (readonly [keyof Figures, number | undefined, number | undefined])[] = [
    ['endOfTurn', spokenTo, turn.endpoint === 'unseen' ? undefined : turn.requestAtMs],
    ['firstByte', turn.requestAtMs, turn.firstByteAtMs],
    ['firstAudio', turn.requestAtMs, turn.firstAudioAtMs],
    ['bot', turn.firstAudioAtMs, turn.reply?.fromMs],
    ['total', spokenTo, turn.reply?.fromMs],
    ['played', turn.reply?.fromMs, turn.reply?.toMs],
  ];
  return Object.fromEntries(
    entries.flatMap(([name, from, to]) =>
      from === undefined || to === undefined || !Number.isFinite(from) ? [] : [[name, Math.round(to - from)]],
    ),
  );
}
