import { SAMPLE_RATE_HZ } from '../../audio/frame.ts';
import type { SandboxVoice } from '../control/protocol.ts';
import type { Synthesizer } from '../speech.ts';
import { splitSentences } from '../speech/sentences.ts';
import type { AcceptedChat } from './chat-request.ts';
import type { InputAudio } from './input-audio.ts';
import type { Reply, ReplyPiece } from './reply.ts';
import type { ChatMessage } from './request-schema.ts';

/** The speakers' own voices in an answer, in all. */
const MAX_ECHO_MS = 8_000;
/** Silence before each of them. */
const ECHO_PAUSE_MS = 150;
/** Of a written question so much is read back. */
const MAX_QUOTE_CHARACTERS = 400;

export interface EchoSettings {
  readonly reply: string | null;
  readonly leadingSilenceMs: number;
  readonly textOnly: boolean;
}

/** A stretch of the user's turn. */
interface Said {
  readonly speaker: string | undefined;
  readonly audio: InputAudio;
}

/**
 * Answers like the echo test of a phone service: it says what it was given, and plays back the speakers' own voices. It
 * does not understand and does not pretend to. Words that must be spoken are exactly the words of the transcript.
 */
export async function echoReply(
  chat: AcceptedChat,
  settings: EchoSettings,
  synthesizer: Synthesizer,
  voice: SandboxVoice,
): Promise<Reply> {
  const { said, written } = newestTurn(chat);
  const spoken = chat.spoken && !settings.textOnly;
  const turn = chat.request.messages.filter(({ role }) => role === 'user').length;

  if (!chat.spoken && said.length > 0 && settings.reply === null && wantsTranscript(chat, written)) {
    return textReply(await transcript(said, synthesizer));
  }
  const given = settings.reply ?? (spoken && wantsReading(chat) ? newestText(chat) : null);
  const words = given ?? [...describe(said, written), ...(turn > 1 ? [`This is turn ${turn}.`] : [])].join(' ');
  if (!spoken) return textReply(words);

  const pieces: ReplyPiece[] = [];
  if (settings.leadingSilenceMs > 0)
    pieces.push({ words: '', sound: Promise.resolve(silence(settings.leadingSilenceMs)) });
  // Sentence by sentence, so that a long answer begins as early as a short one.
  for (const [index, sentence] of splitSentences(words).entries()) {
    const sound = synthesizer.synthesize(sentence, voice);
    // Awaited when its turn comes: until then a failure must not count as unhandled.
    sound.catch(() => undefined);
    pieces.push({ words: index === 0 ? sentence : ` ${sentence}`, sound });
  }
  if (given === null) pieces.push(...voices(said));
  return { spoken: true, pieces };
}

function textReply(words: string): Reply {
  return { spoken: false, pieces: [{ words, sound: Promise.resolve(new Int16Array(0)) }] };
}

/** The newest user message: who spoke, and what was written beside that. */
function newestTurn(chat: AcceptedChat): { said: Said[]; written: string[] } {
  const messages = chat.request.messages;
  const newest = messages.findLast((message) => message.role === 'user');
  if (newest === undefined) return { said: [], written: [] };
  if (typeof newest.content === 'string') return { said: [], written: unlabelled(newest.content) };

  const sounds = newest.content.filter(({ type }) => type === 'input_audio').length;
  const audio = chat.audio.slice(chat.audio.length - sounds);
  const said: Said[] = [];
  const written: string[] = [];
  let speaker: string | undefined;
  for (const [index, part] of newest.content.entries()) {
    if (part.type === 'text') {
      const beforeSound = newest.content[index + 1]?.type === 'input_audio';
      const labelled = readLabel(part.text, beforeSound);
      speaker = beforeSound ? labelled.speaker : undefined;
      if (labelled.words.trim() !== '') written.push(labelled.words.trim());
    } else {
      const sound = audio[said.length];
      if (sound !== undefined) said.push({ speaker, audio: sound });
      speaker = undefined;
    }
  }
  return { said, written };
}

/**
 * Takes off the name that stands before what somebody says: `Alice:`, `[Alice]:`, `Alice says:`, `Alice at 1.5 s:`. A
 * short name alone counts too when sound follows.
 */
function readLabel(text: string, beforeSound: boolean): { speaker: string | undefined; words: string } {
  const label = /^\s*[[(]?([^:\n[\]()]{1,48}?)(?: at [\d.]+ s| says| said)?[\])]?\s*:(?:\s+|$)/u.exec(text);
  if (label !== null) return { speaker: label[1]?.trim(), words: text.slice(label[0].length) };
  const name = /^\s*[[(]?([^\n[\]()]{1,40}?)[\])]?\s*$/u.exec(text)?.[1];
  if (beforeSound && name !== undefined && /[\p{L}\p{N}]$/u.test(name)) return { speaker: name, words: '' };
  return { speaker: undefined, words: text };
}

/** Lines that were written, without the names before them. */
function unlabelled(text: string): string[] {
  return text
    .split('\n')
    .map((line) => readLabel(line, false).words.trim())
    .filter((line) => line !== '');
}

function describe(said: readonly Said[], written: readonly string[]): string[] {
  const sentences: string[] = [];
  if (said.length > 0) {
    const parts = said.map(
      ({ speaker, audio }) => `${secondsOf(audio)} seconds${speaker === undefined ? '' : ` from ${speaker}`}`,
    );
    const last = parts.pop() ?? '';
    sentences.push(`I heard ${parts.length === 0 ? last : `${parts.join(', ')} and ${last}`}.`);
  }
  if (written.length > 0) {
    const quote = written.join(' ').replace(/\s+/gu, ' ').slice(0, MAX_QUOTE_CHARACTERS);
    sentences.push(`You wrote: ${quote}${/[.!?…。！？]$/u.test(quote) ? '' : '.'}`);
  }
  return sentences.length > 0 ? sentences : ['I heard nothing.'];
}

function secondsOf({ samples }: InputAudio): string {
  return (samples.length / SAMPLE_RATE_HZ).toFixed(1);
}

/** Each speaker's own voice in turn. Where all of it is too long, each keeps its beginning, with equal shares. */
function voices(said: readonly Said[]): ReplyPiece[] {
  let budget = (SAMPLE_RATE_HZ * MAX_ECHO_MS) / 1000;
  return said.map(({ audio }, index) => {
    const share = Math.floor(budget / (said.length - index));
    const heard = audio.samples.subarray(0, share);
    budget -= heard.length;
    const pause = silence(ECHO_PAUSE_MS);
    const sound = new Int16Array(pause.length + heard.length);
    sound.set(heard, pause.length);
    if (heard.length < audio.samples.length) fadeOut(sound);
    return { words: '', sound: Promise.resolve(sound) };
  });
}

function fadeOut(sound: Int16Array): void {
  const length = Math.min(sound.length, SAMPLE_RATE_HZ / 50);
  for (let i = 1; i <= length; i++) {
    const at = sound.length - i;
    sound[at] = Math.round((sound[at]! * i) / length);
  }
}

function silence(lengthMs: number): Int16Array {
  return new Int16Array(Math.round((SAMPLE_RATE_HZ * lengthMs) / 1000));
}

function wantsTranscript(chat: AcceptedChat, written: readonly string[]): boolean {
  return /transcribe|write down/iu.test([instructionsOf(chat), ...written].join('\n'));
}

/** Told to read aloud, it does: that needs no understanding. */
function wantsReading(chat: AcceptedChat): boolean {
  return /\bread\b.*\baloud\b/iu.test(instructionsOf(chat));
}

function instructionsOf({ request }: AcceptedChat): string {
  return request.messages
    .filter(({ role }) => role === 'system' || role === 'developer')
    .map(textOf)
    .join('\n');
}

function newestText({ request }: AcceptedChat): string {
  const newest = request.messages.findLast(({ role }) => role === 'user');
  return newest === undefined ? '' : textOf(newest);
}

/** All text of a message. */
export function textOf(message: ChatMessage): string {
  if (message.content === undefined || message.content === null) return '';
  if (typeof message.content === 'string') return message.content;
  return message.content.map((part) => (part.type === 'text' ? part.text : '')).join('\n');
}

async function transcript(said: readonly Said[], synthesizer: Synthesizer): Promise<string> {
  const lines = await Promise.all(
    said.map(async ({ speaker, audio }) => {
      const words = await writeDown(audio.samples, synthesizer);
      return said.length > 1 && speaker !== undefined ? `${speaker}: ${words}` : words;
    }),
  );
  return lines.join('\n');
}

/** The words of sound that this sandbox has made, else how long it is: it does not recognise speech. */
export async function writeDown(samples: Int16Array, synthesizer: Synthesizer): Promise<string> {
  const seconds = (samples.length / SAMPLE_RATE_HZ).toFixed(1);
  return (await synthesizer.recognize(samples)) ?? `[${seconds} seconds of speech]`;
}
