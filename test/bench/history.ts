import { conversationOf } from '../../src/conversation/history.ts';
import { Memory } from '../../src/conversation/memory.ts';
import type { Conversation, Model, Speech } from '../../src/model/model.ts';
import { buildRequest } from '../../src/model/request.ts';
import type { UtteranceRecord } from '../../src/store/turn-store.ts';
import { monotonicClock } from '../../src/time/clock.ts';
import { openStore } from '../../src/store/open-store.ts';
import { silentLog } from '../support/silent-log.ts';

/** Turns at which requests are looked at. */
const AT_TURNS = [5, 50, 500] as const;

/** What is said in a turn of four seconds, and what is answered. */
const SAID = 'I was wondering what we could play tonight, when everyone is here and nobody is too tired.';
const ANSWERED = 'Something with dragons, perhaps. You all liked the last one, and it takes about an hour to play it.';
const SPEECH: Speech = { format: 'mp3', durationMs: 4000, data: new Uint8Array((64_000 / 8) * 4) };

const TOKEN_BUDGET = 16_000;
const NOBODY = { hasOptedOut: () => false };

/** Of what the API's model counts: ten tokens a second of sound that it hears, a token for each four characters. */
const AUDIO_TOKENS_PER_SECOND = 10;
const CHARACTERS_PER_TOKEN = 4;

interface Size {
  readonly bytes: number;
  readonly tokens: number;
}

/** How large requests are as a conversation grows, beside a history that sends all of it again, sound included. */
export async function benchHistory(): Promise<string[]> {
  const ours = await hold(Math.max(...AT_TURNS));
  const rows = AT_TURNS.map((turn) => {
    const kept = ours.get(turn) ?? { bytes: Number.NaN, tokens: Number.NaN };
    const naive = sizeOf(naiveConversation(turn));
    const cells = [
      turn,
      kilobytes(kept),
      kilobytes(naive),
      kept.tokens,
      naive.tokens,
      `${(naive.bytes / kept.bytes).toFixed(1)} / ${(naive.tokens / kept.tokens).toFixed(1)}`,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    '| at turn | request | all of it again | prompt tokens | all of it again | times less, bytes / tokens |',
    '|---|---|---|---|---|---|',
    ...rows,
  ];
}

/** Holds a conversation with the memory, and says how large its requests were. */
async function hold(turns: number): Promise<Map<number, Size>> {
  const sizes = new Map<number, Size>();
  const clock = monotonicClock;
  await using store = openStore({ location: { kind: 'sqlite', file: ':memory:' }, keys: undefined, clock });
  const model = new CountingModel();
  await using memory = new Memory({
    store,
    model,
    botName: 'Parley',
    tokenBudget: TOKEN_BUDGET,
    ...NOBODY,
    clock,
    log: silentLog,
  });
  for (let number = 1; number <= turns; number++) {
    const utterances = [spoken(number)];
    const id = `call:bench:${number}`;
    const turn = await memory.begin({ id, conversationId: 'channel', guildId: 'server', atMs: Date.now(), utterances });
    if (!turn) throw new Error('the turn is a duplicate');
    const conversation = await turn.conversation('voice');
    const size = sizeOf(conversation);
    sizes.set(number, size);
    await turn.begun();
    await turn.end({
      state: 'done',
      reply: { text: ANSWERED, audio: { id: 'x'.repeat(38), expiresAtMs: Date.now() + 3_600_000 } },
      usage: {
        inputTokens: size.tokens,
        outputTokens: ANSWERED.length / CHARACTERS_PER_TOKEN,
        inputAudioTokens: 0,
        outputAudioTokens: 0,
        cachedInputTokens: 0,
      },
      failure: undefined,
    });
    await settled(store, number);
  }
  return sizes;
}

/** Waits for what happens between two turns of people: the words are written down, the sound goes. */
async function settled(store: ReturnType<typeof openStore>, turn: number): Promise<void> {
  for (;;) {
    const { turns, summary } = await store.conversations.load('channel', 2);
    const newest = turns.at(-1)?.position ?? summary?.throughPosition;
    const [before, last] = turns.length > 1 ? turns : [undefined, turns[0]];
    const isWritten = last?.utterances.every(({ transcript }) => transcript !== undefined) ?? true;
    const isDropped = before?.utterances.every(({ speech }) => speech?.data === undefined) ?? true;
    if (newest === turn && isWritten && isDropped) return;
  }
}

/** Writes down what was said, and sums up in three hundred words. */
class CountingModel implements Model {
  async *respond(): ReturnType<Model['respond']> {
    yield { type: 'text', delta: 'They talked about games. '.repeat(60) };
    yield { type: 'done', finish: 'stop', audio: undefined, usage: undefined };
  }

  async *transcribe(): ReturnType<Model['transcribe']> {
    yield { type: 'done', text: SAID };
  }
}

/** Everything that was ever said, as sound, with every reply as words. */
function naiveConversation(turn: number): Conversation {
  const none = { summary: undefined, turns: [], revision: '' };
  const rules = { botName: 'Parley', tokenBudget: TOKEN_BUDGET, ...NOBODY, remindToSpeak: false };
  const { instructions } = conversationOf(none, [spoken(turn)], rules);
  const messages = Array.from({ length: turn }, (_, index) => {
    const [said] = conversationOf(none, [spoken(index)], rules).messages;
    if (!said) throw new Error('nothing was said');
    return index === turn - 1 ? [said] : [said, { role: 'assistant', text: ANSWERED, audio: undefined } as const];
  }).flat();
  return { instructions, messages };
}

function spoken(number: number): UtteranceRecord {
  return {
    speakerId: 'alice',
    speakerName: `Alice${number % 3}`,
    offsetMs: 0,
    text: undefined,
    transcript: undefined,
    speech: SPEECH,
  };
}

/** Of the request as it goes over the wire. A reply that goes by its id counts as the words it stands for. */
function sizeOf(conversation: Conversation): Size {
  let tokens = conversation.instructions.length / CHARACTERS_PER_TOKEN;
  for (const message of conversation.messages) {
    if (message.role === 'assistant') tokens += message.text.length / CHARACTERS_PER_TOKEN;
    else {
      for (const part of message.parts) {
        if (part.type !== 'speech') tokens += part.text.length / CHARACTERS_PER_TOKEN;
        else tokens += (part.speech.durationMs / 1000) * AUDIO_TOKENS_PER_SECOND;
      }
    }
  }
  return { bytes: bytesOf(conversation), tokens: Math.round(tokens) };
}

function bytesOf(conversation: Conversation): number {
  const options = { output: 'voice', voice: 'alloy', model: 'gpt-audio-1.5', maxReplyTokens: 4096 } as const;
  try {
    const { params } = buildRequest(conversation, { ...options, nowEpochMs: Date.now(), useReferences: true });
    return JSON.stringify(params).length;
  } catch {
    // More sound than the API takes at all: as large as it would be.
    const { messages, instructions } = conversation;
    const half = { instructions, messages: messages.slice(0, Math.ceil(messages.length / 4) * 2 - 1) };
    return 2 * bytesOf(half);
  }
}

function kilobytes({ bytes }: Size): string {
  return `${Math.round(bytes / 1000).toLocaleString('en')} kB`;
}
