import { sql, type CompiledQuery } from 'kysely';

import type { Database, WriteStatement } from './database.ts';
import type { SqlDialect } from './dialect.ts';
import { StoreError } from './store-error.ts';

/** Changing tables may take long on a large database. */
const LIMIT_MS = 60_000;

type Migration = (dialect: SqlDialect) => readonly CompiledQuery[];

/** Each takes the tables one version further. Never change one that was released: add another. */
const MIGRATIONS: readonly Migration[] = [firstTables, jobTables, settingsTable, shownIn];

/**
 * Brings the tables to this program's version. Each step is one transaction that only the process which finds the version
 * before it can make, so any number of processes may start at once.
 * @throws {StoreError} `newer-schema` when a newer Parley made the tables.
 */
export async function migrate(database: Database, dialect: SqlDialect): Promise<void> {
  const { builder } = dialect;
  const readVersion = builder.selectFrom('schema_version').select('version').compile();
  const lock: WriteStatement[] = dialect.lockTables ? [{ query: dialect.lockTables }] : [];
  // Tables that are as they should be are only read: a database that takes no writes just now can still be opened.
  const [tables] = await database.read([dialect.countVersionTables], LIMIT_MS);
  if (tables[0]?.found !== 1) await beginVersions(database, dialect, lock);
  for (;;) {
    const [rows] = await database.read([readVersion], LIMIT_MS);
    const version = rows[0]?.version ?? 0;
    if (version > MIGRATIONS.length) {
      throw new StoreError(
        'newer-schema',
        `the database has tables of version ${version}, this Parley knows ${MIGRATIONS.length}: start the newer Parley, or restore a backup from before it`,
      );
    }
    const migration = MIGRATIONS[version];
    if (!migration) return;
    const step = builder
      .updateTable('schema_version')
      .set({ version: version + 1 })
      .where('version', '=', version)
      .compile();
    // When another process was faster the version is not what it was, nothing of this happens, and it is read again.
    await database.write(
      [...lock, { query: step, mustChange: 1 }, ...migration(dialect).map((query) => ({ query }))],
      LIMIT_MS,
    );
  }
}

async function beginVersions(
  database: Database,
  { builder }: SqlDialect,
  lock: readonly WriteStatement[],
): Promise<void> {
  const table = builder.schema
    .createTable('schema_version')
    .ifNotExists()
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('version', 'integer', (column) => column.notNull());
  const first = builder
    .insertInto('schema_version')
    .values({ id: 1, version: 0 })
    .onConflict((conflict) => conflict.doNothing());
  await database.write([...lock, { query: table.compile() }, { query: first.compile() }], LIMIT_MS);
}

function firstTables({ builder, bytes }: SqlDialect): readonly CompiledQuery[] {
  const { schema } = builder;
  return [
    schema
      .createTable('conversations')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('guild_id', 'text', (column) => column.notNull())
      .addColumn('key_id', 'text', (column) => column.notNull())
      .addColumn('wrapped_key', bytes, (column) => column.notNull())
      .addColumn('master_key_id', 'text', (column) => column.notNull())
      .addColumn('ended_turns', 'integer', (column) => column.notNull())
      .addColumn('revision', 'integer', (column) => column.notNull())
      .addColumn('active_ms', 'bigint', (column) => column.notNull())
      .compile(),
    schema.createIndex('conversations_guild').on('conversations').column('guild_id').compile(),
    schema
      .createTable('turns')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('conversation_id', 'text', (column) =>
        column.notNull().references('conversations.id').onDelete('cascade'),
      )
      .addColumn('guild_id', 'text', (column) => column.notNull())
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('owner_id', 'text', (column) => column.notNull())
      .addColumn('receipt', 'text', (column) => column.notNull())
      .addColumn('received_ms', 'bigint', (column) => column.notNull())
      .addColumn('ended_ms', 'bigint')
      .addColumn('position', 'integer')
      .addColumn('notice_due', 'integer', (column) => column.notNull())
      .addColumn('reply', bytes)
      .addColumn('audio_id', 'text')
      .addColumn('audio_expires_ms', 'bigint')
      .addColumn('failure', 'text')
      .addColumn('input_tokens', 'integer')
      .addColumn('output_tokens', 'integer')
      .addColumn('input_audio_tokens', 'integer')
      .addColumn('output_audio_tokens', 'integer')
      .addColumn('cached_input_tokens', 'integer')
      .compile(),
    schema.createIndex('turns_position').unique().on('turns').columns(['conversation_id', 'position']).compile(),
    schema.createIndex('turns_guild').on('turns').column('guild_id').compile(),
    schema.createIndex('turns_ended').on('turns').column('ended_ms').compile(),
    // Holds only what is open or was left behind, so that looking for it at start costs nothing.
    sql`create index turns_open on turns (owner_id) where position is null or notice_due = 1`.compile(builder),
    schema
      .createTable('utterances')
      .addColumn('turn_id', 'text', (column) => column.notNull().references('turns.id').onDelete('cascade'))
      .addColumn('ordinal', 'integer', (column) => column.notNull())
      .addColumn('conversation_id', 'text', (column) => column.notNull())
      .addColumn('guild_id', 'text', (column) => column.notNull())
      .addColumn('speaker_id', 'text', (column) => column.notNull())
      .addColumn('offset_ms', 'bigint', (column) => column.notNull())
      .addColumn('name', bytes, (column) => column.notNull())
      .addColumn('text', bytes)
      .addColumn('transcript', bytes)
      .addColumn('speech_format', 'text')
      .addColumn('speech_ms', 'bigint')
      .addPrimaryKeyConstraint('utterances_key', ['turn_id', 'ordinal'])
      .compile(),
    schema.createIndex('utterances_speaker').on('utterances').columns(['speaker_id', 'guild_id']).compile(),
    schema
      .createTable('speech')
      .addColumn('turn_id', 'text', (column) => column.notNull())
      .addColumn('ordinal', 'integer', (column) => column.notNull())
      .addColumn('conversation_id', 'text', (column) => column.notNull())
      .addColumn('guild_id', 'text', (column) => column.notNull())
      .addColumn('sound', bytes, (column) => column.notNull())
      .addPrimaryKeyConstraint('speech_key', ['turn_id', 'ordinal'])
      .addForeignKeyConstraint(
        'speech_utterance',
        ['turn_id', 'ordinal'],
        'utterances',
        ['turn_id', 'ordinal'],
        (constraint) => constraint.onDelete('cascade'),
      )
      .compile(),
    schema.createIndex('speech_conversation').on('speech').column('conversation_id').compile(),
    schema
      .createTable('summaries')
      .addColumn('conversation_id', 'text', (column) =>
        column.primaryKey().references('conversations.id').onDelete('cascade'),
      )
      .addColumn('guild_id', 'text', (column) => column.notNull())
      .addColumn('text', bytes, (column) => column.notNull())
      .addColumn('through_position', 'integer', (column) => column.notNull())
      .addColumn('made_ms', 'bigint', (column) => column.notNull())
      .compile(),
    schema.createIndex('summaries_guild').on('summaries').column('guild_id').compile(),
    schema
      .createTable('participants')
      .addColumn('conversation_id', 'text', (column) =>
        column.notNull().references('conversations.id').onDelete('cascade'),
      )
      .addColumn('guild_id', 'text', (column) => column.notNull())
      .addColumn('speaker_id', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('participants_key', ['conversation_id', 'speaker_id'])
      .compile(),
    schema.createIndex('participants_speaker').on('participants').columns(['speaker_id', 'guild_id']).compile(),
    schema
      .createTable('owners')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('machine', 'text', (column) => column.notNull())
      .addColumn('process', 'text', (column) => column.notNull())
      .addColumn('expires_ms', 'bigint', (column) => column.notNull())
      .compile(),
    schema
      .createTable('opt_outs')
      .addColumn('person_id', 'text', (column) => column.primaryKey())
      .addColumn('since_ms', 'bigint', (column) => column.notNull())
      .compile(),
    schema
      .createTable('guild_deletions')
      .addColumn('guild_id', 'text', (column) => column.primaryKey())
      .addColumn('due_ms', 'bigint', (column) => column.notNull())
      .compile(),
    schema
      .createTable('master_keys')
      .addColumn('key_id', 'text', (column) => column.primaryKey())
      .addColumn('since_ms', 'bigint', (column) => column.notNull())
      .compile(),
  ];
}

function jobTables({ builder, bytes }: SqlDialect): readonly CompiledQuery[] {
  const { schema } = builder;
  return [
    schema
      .createTable('jobs')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('conversation_id', 'text', (column) =>
        column.notNull().references('conversations.id').onDelete('cascade'),
      )
      .addColumn('guild_id', 'text', (column) => column.notNull())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('owner_id', 'text', (column) => column.notNull())
      .addColumn('channel_id', 'text', (column) => column.notNull())
      .addColumn('message_id', 'text', (column) => column.notNull())
      .addColumn('asked_by', 'text', (column) => column.notNull())
      .addColumn('begun_ms', 'bigint', (column) => column.notNull())
      .addColumn('take_overs', 'integer', (column) => column.notNull())
      .addColumn('parameters', bytes, (column) => column.notNull())
      .compile(),
    schema.createIndex('jobs_conversation').on('jobs').column('conversation_id').compile(),
    schema
      .createTable('job_pieces')
      .addColumn('job_id', 'text', (column) => column.notNull().references('jobs.id').onDelete('cascade'))
      .addColumn('ordinal', 'integer', (column) => column.notNull())
      .addColumn('facts', bytes, (column) => column.notNull())
      .addColumn('sound', bytes)
      .addPrimaryKeyConstraint('job_pieces_key', ['job_id', 'ordinal'])
      .compile(),
  ];
}

function settingsTable({ builder: { schema } }: SqlDialect): readonly CompiledQuery[] {
  return [
    schema
      .createTable('channel_settings')
      .addColumn('channel_id', 'text', (column) => column.primaryKey())
      .addColumn('guild_id', 'text', (column) => column.notNull())
      .addColumn('voice', 'text')
      .addColumn('answers', 'text')
      .compile(),
    schema.createIndex('channel_settings_guild').on('channel_settings').column('guild_id').compile(),
  ];
}

function shownIn({ builder: { schema } }: SqlDialect): readonly CompiledQuery[] {
  return [schema.alterTable('turns').addColumn('shown_in', 'text').compile()];
}
