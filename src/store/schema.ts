/**
 * The tables. Times are milliseconds since the epoch; what people said is sealed (`seal.ts`); ids, counts and times are
 * not. Every row but a piece of work names its conversation and its server, and every read is
 * filtered by one of them.
 */
export interface Schema {
  /** One for each conversation, with the key that seals everything in it. */
  conversations: ConversationRow;
  turns: TurnRow;
  utterances: UtteranceRow;
  /** Sound, apart from its utterance so that it can go earlier and is not read past. */
  speech: SpeechRow;
  summaries: SummaryRow;
  /** Long work that is not done yet. */
  jobs: JobRow;
  /** What is done of it. */
  job_pieces: JobPieceRow;
  /** Who ever took part in a conversation: whose words its summary may hold. */
  participants: { conversation_id: string; guild_id: string; speaker_id: string };
  /** Processes that use the store. A turn whose owner is not here, or is here no longer, was left behind by a crash. */
  owners: OwnerRow;
  /** People who do not want to be heard. */
  opt_outs: { person_id: string; since_ms: number };
  /** What people chose for a channel; a name of a voice or a mode, nothing that was said. */
  channel_settings: { channel_id: string; guild_id: string; voice: string | null; answers: string | null };
  /** Servers whose data goes when it is due. */
  guild_deletions: { guild_id: string; due_ms: number };
  /** Master keys that something was wrapped with. */
  master_keys: { key_id: string; since_ms: number };
  schema_version: { id: number; version: number };
}

export interface ConversationRow {
  id: string;
  guild_id: string;
  /** Names this key; another when the conversation was forgotten and begun anew. */
  key_id: string;
  wrapped_key: Uint8Array;
  master_key_id: string;
  /** Turns that have ended so far: the position of the newest. */
  ended_turns: number;
  /** Grows whenever somebody's words are taken out, so that nothing made from them before is written after. */
  revision: number;
  active_ms: number;
}

export interface TurnRow {
  /** The id from its source. */
  id: string;
  conversation_id: string;
  guild_id: string;
  state: string;
  owner_id: string;
  /** Names one call of `receive`, so that trying it again after a lost answer finds its own row. */
  receipt: string;
  received_ms: number;
  ended_ms: number | null;
  /** Its place among the conversation's ended turns, from 1; `null` while it is open. */
  position: number | null;
  notice_due: number;
  /** The channel in which its answer's words appear, when that is not the conversation's own. */
  shown_in: string | null;
  reply: Uint8Array | null;
  audio_id: string | null;
  audio_expires_ms: number | null;
  failure: string | null;
  input_tokens: number | null;
  output_tokens: number | null;
  input_audio_tokens: number | null;
  output_audio_tokens: number | null;
  cached_input_tokens: number | null;
}

export interface UtteranceRow {
  turn_id: string;
  ordinal: number;
  conversation_id: string;
  guild_id: string;
  speaker_id: string;
  offset_ms: number;
  name: Uint8Array;
  text: Uint8Array | null;
  transcript: Uint8Array | null;
  speech_format: string | null;
  speech_ms: number | null;
}

interface SpeechRow {
  turn_id: string;
  ordinal: number;
  conversation_id: string;
  guild_id: string;
  sound: Uint8Array;
}

export interface SummaryRow {
  conversation_id: string;
  guild_id: string;
  text: Uint8Array;
  /** The newest turn it covers. */
  through_position: number;
  made_ms: number;
}

export interface JobRow {
  /** The id from its source. */
  id: string;
  conversation_id: string;
  guild_id: string;
  kind: string;
  owner_id: string;
  channel_id: string;
  message_id: string;
  asked_by: string;
  begun_ms: number;
  /** Since the last piece was kept. */
  take_overs: number;
  parameters: Uint8Array;
}

export interface JobPieceRow {
  job_id: string;
  ordinal: number;
  facts: Uint8Array;
  sound: Uint8Array | null;
}

interface OwnerRow {
  id: string;
  machine: string;
  process: string;
  expires_ms: number;
}
