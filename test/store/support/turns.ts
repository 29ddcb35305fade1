import type { Ending, IncomingTurn, SpeechRecord, TurnStore, UtteranceRecord } from '../../../src/store/turn-store.ts';

/** A wall-clock time; tests count from here. */
export const T0 = Date.UTC(2026, 10, 20);

export const SPEECH: SpeechRecord = { format: 'mp3', durationMs: 1200, data: Uint8Array.of(0xff, 0xfb, 0, 1, 2, 255) };

export function utterance(changes: Partial<UtteranceRecord> = {}): UtteranceRecord {
  return {
    speakerId: 'ada',
    speakerName: 'Ada',
    offsetMs: 0,
    text: 'hello',
    transcript: undefined,
    speech: undefined,
    ...changes,
  };
}

export function incoming(id: string, changes: Partial<IncomingTurn> = {}): IncomingTurn {
  return { id, conversationId: 'channel-1', guildId: 'guild-1', atMs: T0, utterances: [utterance()], ...changes };
}

export function ending(changes: Partial<Ending> = {}): Ending {
  return {
    state: 'done',
    atMs: T0 + 1000,
    reply: { text: 'hello yourself', audio: { id: 'audio_1', expiresAtMs: T0 + 3_600_000 } },
    usage: { inputTokens: 10, outputTokens: 20, inputAudioTokens: 5, outputAudioTokens: 15, cachedInputTokens: 2 },
    failure: undefined,
    ...changes,
  };
}

/** A turn from its beginning to its end. */
export async function hold(store: TurnStore, turn: IncomingTurn, end: Ending = ending()): Promise<void> {
  await store.turns.receive(turn);
  await store.turns.advance(turn.id, 'asked');
  await store.turns.advance(turn.id, 'speaking');
  await store.turns.finish(turn.id, end);
}

/** The ids of a conversation's turns, as a request would see them. */
export async function idsOf(store: TurnStore, conversationId: string, limit = 100): Promise<string[]> {
  return (await store.conversations.load(conversationId, limit)).turns.map((turn) => turn.id);
}
