import { setImmediate } from 'node:timers/promises';

import { sql, type CompiledQuery, type ExpressionBuilder, type SqlBool, type Expression } from 'kysely';

import type { WriteStatement } from './database.ts';
import type { SqlDialect } from './dialect.ts';
import type { Schema, TurnRow, UtteranceRow } from './schema.ts';
import { seal, sealText, unseal, unsealText } from './seal.ts';
import type { BeginningTurn, EndState, Ending, IncomingTurn, TurnRecord, UtteranceRecord } from './turn-store.ts';

/** Opening what is sealed takes some 25 us each: a long history at once would hold up a frame of sound. */
const LONGEST_GO_MS = 2;

/** How turns become rows and rows become turns again. `key` is the conversation's key throughout. */

/** The statements that keep a turn's utterances and their sound; the turn itself comes before them. */
export function utteranceStatements(dialect: SqlDialect, turn: IncomingTurn, key: Uint8Array): WriteStatement[] {
  const { builder } = dialect;
  const { id: turn_id, conversationId: conversation_id, guildId: guild_id } = turn;
  const rows = turn.utterances.map((utterance, ordinal) => ({
    turn_id,
    ordinal,
    conversation_id,
    guild_id,
    speaker_id: utterance.speakerId,
    offset_ms: Math.round(utterance.offsetMs),
    name: sealText(key, utterance.speakerName, placeOf('name', turn_id, ordinal)),
    text: sealedOrNull(key, utterance.text, placeOf('text', turn_id, ordinal)),
    transcript: sealedOrNull(key, utterance.transcript, placeOf('transcript', turn_id, ordinal)),
    speech_format: utterance.speech?.format ?? null,
    speech_ms: utterance.speech ? Math.round(utterance.speech.durationMs) : null,
  }));
  const sounds = turn.utterances.flatMap(({ speech }, ordinal) =>
    speech?.data
      ? [
          {
            turn_id,
            ordinal,
            conversation_id,
            guild_id,
            sound: seal(key, speech.data, placeOf('sound', turn_id, ordinal)),
          },
        ]
      : [],
  );
  const speakers = turn.utterances.map((utterance) => utterance.speakerId);
  return [
    ...participantStatements(dialect, turn, speakers),
    ...rows.map((row) => ({ query: builder.insertInto('utterances').values(row).compile() })),
    ...sounds.map((row) => ({ query: builder.insertInto('speech').values(row).compile() })),
  ];
}

/** The statements that note who took part in a conversation, which is there. */
export function participantStatements(
  { builder }: SqlDialect,
  { conversationId: conversation_id, guildId: guild_id }: Pick<IncomingTurn, 'conversationId' | 'guildId'>,
  speakerIds: readonly string[],
): WriteStatement[] {
  return [...new Set(speakerIds)].map((speaker_id) => ({
    query: builder
      .insertInto('participants')
      .values({ conversation_id, guild_id, speaker_id })
      .onConflict((conflict) => conflict.doNothing())
      .compile(),
  }));
}

/** The columns in which a turn that begins is kept. */
export function openingColumns(turn: BeginningTurn, ownerId: string, receipt: string) {
  return {
    id: turn.id,
    conversation_id: turn.conversationId,
    guild_id: turn.guildId,
    owner_id: ownerId,
    receipt,
    received_ms: Math.round(turn.atMs),
    notice_due: 0,
    shown_in: turn.shownIn ?? null,
  };
}

/** The columns in which a turn's end is kept, but for its position. */
export function endingColumns(turnId: string, ending: Ending, key: Uint8Array) {
  const { reply, usage } = ending;
  return {
    state: ending.state,
    ended_ms: Math.round(ending.atMs),
    notice_due: ending.isUnseen === true ? 1 : 0,
    reply: sealedOrNull(key, reply?.text, placeOf('reply', turnId)),
    audio_id: reply?.audio?.id ?? null,
    audio_expires_ms: reply?.audio ? Math.round(reply.audio.expiresAtMs) : null,
    failure: ending.failure ?? null,
    input_tokens: usage?.inputTokens ?? null,
    output_tokens: usage?.outputTokens ?? null,
    input_audio_tokens: usage?.inputAudioTokens ?? null,
    output_audio_tokens: usage?.outputAudioTokens ?? null,
    cached_input_tokens: usage?.cachedInputTokens ?? null,
  };
}

export function transcriptColumn(key: Uint8Array, transcript: string, turnId: string, ordinal: number): Uint8Array {
  return sealText(key, transcript, placeOf('transcript', turnId, ordinal));
}

export function speakerNameOf(key: Uint8Array, row: Pick<UtteranceRow, 'turn_id' | 'ordinal' | 'name'>): string {
  return unsealText(key, row.name, placeOf('name', row.turn_id, row.ordinal));
}

type UtteranceAndSound = UtteranceRow & { sound: Uint8Array | null };
type TurnCondition = (turns: ExpressionBuilder<Schema, 'turns'>) => Expression<SqlBool>;

/** The two queries that load turns: the turns that meet `which`, first to last or last to first, and their utterances. */
export function turnQueries(
  { builder }: SqlDialect,
  conversationId: string,
  which: TurnCondition,
  order: 'newest-first' | 'oldest-first',
  limit: number,
): [CompiledQuery<TurnRow>, CompiledQuery<UtteranceAndSound>] {
  const turns = builder
    .selectFrom('turns')
    .where('conversation_id', '=', conversationId)
    .where(which)
    .orderBy('position', order === 'newest-first' ? 'desc' : 'asc')
    .orderBy('received_ms')
    .limit(sql.lit(limit));
  const utterances = builder
    .selectFrom('utterances')
    .leftJoin('speech', (join) =>
      join.onRef('speech.turn_id', '=', 'utterances.turn_id').onRef('speech.ordinal', '=', 'utterances.ordinal'),
    )
    .selectAll('utterances')
    .select('speech.sound')
    .where('utterances.conversation_id', '=', conversationId)
    .where('utterances.turn_id', 'in', turns.select('id'))
    .orderBy('utterances.turn_id')
    .orderBy('utterances.ordinal');
  return [turns.selectAll().compile(), utterances.compile()];
}

type OpenText = (sealed: Uint8Array, place: string) => string;

/** Turns from the rows of {@link turnQueries}, in the order of `turns`. Lets other work through now and then. */
export async function toTurns(
  turns: readonly TurnRow[],
  utterances: readonly UtteranceAndSound[],
  key: Uint8Array,
  openText: OpenText = (sealed, place) => unsealText(key, sealed, place),
): Promise<TurnRecord[]> {
  const byTurn = Map.groupBy(utterances, (row) => row.turn_id);
  const opened: TurnRecord[] = [];
  let sinceMs = performance.now();
  for (const row of turns) {
    opened.push(toTurn(row, byTurn.get(row.id) ?? [], key, openText));
    if (performance.now() - sinceMs < LONGEST_GO_MS) continue;
    await setImmediate();
    sinceMs = performance.now();
  }
  return opened;
}

function toTurn(
  row: TurnRow,
  utterances: readonly UtteranceAndSound[],
  key: Uint8Array,
  openText: OpenText,
): TurnRecord {
  const audio =
    row.audio_id !== null && row.audio_expires_ms !== null
      ? { id: row.audio_id, expiresAtMs: row.audio_expires_ms }
      : undefined;
  return {
    id: row.id,
    conversationId: row.conversation_id,
    guildId: row.guild_id,
    atMs: row.received_ms,
    utterances: utterances.map((utterance) => toUtterance(utterance, key, openText)),
    // A turn that is open is shown as what it would be if nothing more came.
    state: isEndState(row.state) ? row.state : 'interrupted',
    endedAtMs: row.ended_ms ?? row.received_ms,
    position: row.position ?? 0,
    reply: row.reply ? { text: openText(row.reply, placeOf('reply', row.id)), audio } : undefined,
    usage: usageOf(row),
    failure: row.failure ?? undefined,
  };
}

function toUtterance(row: UtteranceAndSound, key: Uint8Array, openText: OpenText): UtteranceRecord {
  const { turn_id: turnId, ordinal } = row;
  const data = row.sound ? unseal(key, row.sound, placeOf('sound', turnId, ordinal)) : undefined;
  return {
    speakerId: row.speaker_id,
    speakerName: openText(row.name, placeOf('name', turnId, ordinal)),
    offsetMs: row.offset_ms,
    text: row.text ? openText(row.text, placeOf('text', turnId, ordinal)) : undefined,
    transcript: row.transcript ? openText(row.transcript, placeOf('transcript', turnId, ordinal)) : undefined,
    speech:
      row.speech_format === 'wav' || row.speech_format === 'mp3'
        ? { format: row.speech_format, durationMs: row.speech_ms ?? 0, data }
        : undefined,
  };
}

function usageOf(row: TurnRow): TurnRecord['usage'] {
  if (row.input_tokens === null || row.output_tokens === null) return undefined;
  return {
    inputTokens: row.input_tokens,
    outputTokens: row.output_tokens,
    inputAudioTokens: row.input_audio_tokens ?? 0,
    outputAudioTokens: row.output_audio_tokens ?? 0,
    cachedInputTokens: row.cached_input_tokens ?? 0,
  };
}

function isEndState(state: string): state is EndState {
  return state === 'done' || state === 'interrupted' || state === 'failed';
}

function sealedOrNull(key: Uint8Array, text: string | undefined, place: string): Uint8Array | null {
  return text === undefined ? null : sealText(key, text, place);
}

function placeOf(column: string, turnId: string, ordinal?: number): string {
  return ordinal === undefined ? `turns.${column} ${turnId}` : `utterances.${column} ${turnId} ${ordinal}`;
}
