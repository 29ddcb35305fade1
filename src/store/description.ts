import { sql } from 'kysely';

import type { StoreParts } from './parts.ts';
import { SEAL_BYTES } from './seal.ts';
import { speakerNameOf } from './turn-rows.ts';
import type { ConversationDescription } from './turn-store.ts';

/** Counts what is kept of a conversation. Reads no sound, and of the words only each person's latest name. */
export async function describeConversation(
  { database, dialect, keys }: StoreParts,
  conversationId: string,
): Promise<ConversationDescription> {
  const { builder } = dialect;
  const people = builder
    .selectFrom('utterances')
    .innerJoin('turns', 'turns.id', 'utterances.turn_id')
    .select(['utterances.turn_id', 'utterances.ordinal', 'utterances.speaker_id', 'utterances.name'])
    .select((row) => [
      row.fn
        .countAll<number>()
        .over((over) => over.partitionBy('utterances.speaker_id'))
        .as('utterances'),
      row.fn
        .agg<number>('row_number')
        .over((over) =>
          over
            .partitionBy('utterances.speaker_id')
            .orderBy('turns.received_ms', 'desc')
            .orderBy('utterances.ordinal', 'desc'),
        )
        .as('age'),
    ])
    .where('turns.conversation_id', '=', conversationId);
  const [conversations, turns, sounds, summaries, speakers] = await database.read(
    [
      builder.selectFrom('conversations').selectAll().where('id', '=', conversationId).compile(),
      builder
        .selectFrom('turns')
        .select((row) => [
          row.fn.countAll<number>().as('turns'),
          row.fn.min('received_ms').as('oldest_ms'),
          row.fn.max('ended_ms').as('newest_ms'),
        ])
        .where('conversation_id', '=', conversationId)
        .where('position', 'is not', null)
        .compile(),
      builder
        .selectFrom('speech')
        .innerJoin('utterances', (join) =>
          join.onRef('utterances.turn_id', '=', 'speech.turn_id').onRef('utterances.ordinal', '=', 'speech.ordinal'),
        )
        .select((row) => [
          row.fn.sum<number | null>('utterances.speech_ms').as('speech_ms'),
          row.fn.sum<number | null>(sql`length(speech.sound) - ${sql.lit(SEAL_BYTES)}`).as('bytes'),
        ])
        .where('speech.conversation_id', '=', conversationId)
        .compile(),
      builder.selectFrom('summaries').select('made_ms').where('conversation_id', '=', conversationId).compile(),
      builder.selectFrom(people.as('people')).selectAll().where('age', '=', 1).orderBy('utterances', 'desc').compile(),
    ],
    'patient',
  );
  const conversation = conversations[0];
  const key = conversation && (await keys.unwrap(conversationId, conversation));
  return {
    turns: turns[0]?.turns ?? 0,
    oldestAtMs: turns[0]?.oldest_ms ?? undefined,
    newestAtMs: turns[0]?.newest_ms ?? undefined,
    hasSummary: summaries.length > 0,
    speechMs: sounds[0]?.speech_ms ?? 0,
    speechBytes: sounds[0]?.bytes ?? 0,
    people: key
      ? speakers.map((row) => ({ id: row.speaker_id, name: speakerNameOf(key, row), utterances: row.utterances }))
      : [],
  };
}
