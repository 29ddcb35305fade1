import { randomBytes, randomUUID } from 'node:crypto';

import type { CompiledQuery } from 'kysely';

import type { Database } from './database.ts';
import type { SqlDialect } from './dialect.ts';
import { missingKey, type Keyring } from './keyring.ts';
import { readKeys, type KeySource } from './key-source.ts';
import { OpenedTexts } from './opened-texts.ts';
import type { ConversationRow } from './schema.ts';
import { KEY_BYTES } from './seal.ts';
import { StoreError } from './store-error.ts';

const MAX_CACHED = 2000;

/** A conversation's key as it is kept. */
export type WrappedKey = Pick<ConversationRow, 'key_id' | 'wrapped_key' | 'master_key_id'>;

/** What of a conversation stays the same until it is forgotten. */
export type KeyedConversation = Pick<ConversationRow, 'id' | 'guild_id'> & WrappedKey;

/**
 * The keys of single conversations. Each seals what is said in one conversation and is deleted with it, so that what a
 * database leaves behind of a forgotten conversation has lost its key as well. Not so what is taken out of one that goes on,
 * such as one person's words or old turns: its key lives, and opens what an older copy of the database still holds.
 */
export class ConversationKeys {
  /** What was opened with these keys; forgotten with them. */
  readonly opened = new OpenedTexts();
  readonly #source: KeySource;
  readonly #cache = new Map<string, Uint8Array>();
  /** Saves the turn that begins a read, which people would wait for. */
  readonly #conversations = new Map<string, KeyedConversation>();
  #keyring: Keyring | undefined;

  constructor(source: KeySource) {
    this.#source = source;
  }

  /**
   * Reads the master keys and makes sure that they open what is kept.
   * @throws {StoreError} `wrong-key` when they do not.
   */
  async open(database: Database, { builder }: SqlDialect, limitMs: number): Promise<void> {
    const [rows] = await database.read([builder.selectFrom('master_keys').select('key_id').compile()], limitMs);
    const used = rows.map((row) => row.key_id);
    const keyring = await readKeys(this.#source, used.length === 0);
    const missing = used.filter((id) => !keyring.has(id));
    if (missing.length > 0) throw missingKey(missing);
    this.#keyring = keyring;
  }

  get newestMasterId(): string {
    return this.#ring().newestId;
  }

  create(conversationId: string): WrappedKey {
    const secret = randomBytes(KEY_BYTES);
    const keyId = randomUUID();
    return { key_id: keyId, ...this.#wrap(secret, conversationId, keyId) };
  }

  /** The conversation's key. @throws {StoreError} `wrong-key`, `corrupt` */
  async unwrap(conversationId: string, wrapped: WrappedKey): Promise<Uint8Array> {
    const cached = this.#cache.get(wrapped.key_id);
    if (cached) return cached;
    if (!this.#ring().has(wrapped.master_key_id)) {
      // Another process may have brought a new master key into the key file.
      this.#keyring = await readKeys(this.#source, false);
    }
    const secret = this.#ring().unwrap(wrapped.wrapped_key, placeOf(conversationId, wrapped.key_id));
    if (this.#cache.size >= MAX_CACHED) this.#cache.clear();
    this.#cache.set(wrapped.key_id, secret);
    return secret;
  }

  /** The same key, wrapped with the newest master key. */
  async rewrap(conversationId: string, wrapped: WrappedKey): Promise<Omit<WrappedKey, 'key_id'>> {
    return this.#wrap(await this.unwrap(conversationId, wrapped), conversationId, wrapped.key_id);
  }

  /** The conversation as it was when it was last noted: it may have been forgotten since, by another process. */
  find(conversationId: string): KeyedConversation | undefined {
    return this.#conversations.get(conversationId);
  }

  note(conversation: KeyedConversation): void {
    if (this.#conversations.size >= MAX_CACHED) this.#conversations.clear();
    this.#conversations.set(conversation.id, conversation);
  }

  drop(conversationId: string): void {
    this.#conversations.delete(conversationId);
  }

  forget(): void {
    this.#cache.clear();
    this.#conversations.clear();
    this.opened.clear();
  }

  #wrap(secret: Uint8Array, conversationId: string, keyId: string): Omit<WrappedKey, 'key_id'> {
    const ring = this.#ring();
    return { wrapped_key: ring.wrap(secret, placeOf(conversationId, keyId)), master_key_id: ring.newestId };
  }

  #ring(): Keyring {
    if (!this.#keyring) throw new StoreError('internal', 'the keys were not read');
    return this.#keyring;
  }
}

/** Notes that the newest master key wraps something in this database. Part of every batch that wraps. */
export function noteMasterKey({ builder, nowMs }: SqlDialect, keyId: string): CompiledQuery {
  return builder
    .insertInto('master_keys')
    .values({ key_id: keyId, since_ms: nowMs })
    .onConflict((conflict) => conflict.doNothing())
    .compile();
}

function placeOf(conversationId: string, keyId: string): string {
  return `conversations.wrapped_key ${conversationId} ${keyId}`;
}
