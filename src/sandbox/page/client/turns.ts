import type { ModelRequestRecord, SandboxEvent } from '../../control/protocol.ts';

/** Turns kept; the oldest are forgotten first. */
const MAX_TURNS = 60;
/** Stretches of speech that wait for a request. */
const MAX_STRETCHES = 20;
/** Silence that a reply may begin and end with. */
const LONGEST_SILENCE_MS = 1500;
/** A reply that was spoken over counts as heard whole when no more than this is missing. */
const HEARD_WHOLE_MS = 250;

export interface Stretch {
  readonly userId: string;
  readonly fromMs: number;
  readonly toMs?: number;
}

/** One request to the model with everything around it, in the sandbox's milliseconds. */
export interface Turn {
  readonly id: string;
  readonly number: number;
  readonly endpoint: 'chat' | 'transcription';
  readonly requestAtMs: number;
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
        return this.#change(event.requestId, { endedAtMs: event.atMs, abandoned: event.abandoned });
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
    const last = this.turns.findLast(({ over }) => over.length > 0);
    if (last) this.#change(last.id, { over: last.over.map(ended) });
  }

  #asked(id: string, endpoint: Turn['endpoint'], requestAtMs: number): void {
    const speech = endpoint === 'chat' ? this.#stretches.filter(({ toMs }) => toMs !== undefined) : [];
    this.#number += 1;
    const turn: Turn = { id, number: this.#number, endpoint, requestAtMs, speech, over: [], abandoned: false };
    this.turns = [...this.turns, turn].slice(-MAX_TURNS);
  }

  #botSpeaking(speaking: boolean, atMs: number): void {
    if (!speaking) {
      const open = this.turns.findLast(({ reply }) => reply !== undefined && reply.toMs === undefined);
      if (open?.reply) this.#change(open.id, { reply: { ...open.reply, toMs: atMs } });
      return;
    }
    // What was asked in writing is answered in writing.
    const last = this.turns.findLast(({ speech, firstAudioAtMs }) => speech.length > 0 && firstAudioAtMs !== undefined);
    if (!last) return;
    // A reply that pauses goes on where it was.
    this.#change(last.id, { reply: { userId: 'bot', fromMs: last.reply?.fromMs ?? atMs } });
    this.#stretches = this.#stretches.filter(({ toMs }) => toMs === undefined || toMs > last.requestAtMs);
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
    ['endOfTurn', spokenTo, turn.requestAtMs],
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
