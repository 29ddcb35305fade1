import { invalidRequest } from './api-error.ts';
import type { Answer } from './answer.ts';
import { acceptChat, parseJson } from './chat-request.ts';
import { echoReply } from './echo.ts';
import type { Exchange } from './exchange.ts';
import { answerFault } from './fault-answers.ts';
import { sendPlainAnswer } from './plain-answer.ts';
import type { Operation } from './operation.ts';
import type { ReceivedAudio } from './records.ts';
import { streamAnswer } from './streamed-answer.ts';
import type { ModelWorld } from './world.ts';

/** The voice that answers when no person of the sandbox speaks: not the one people speak with by default. */
const REPLY_VOICE = 'kal';

/** `/chat/completions`, plain and streamed. */
export const CHAT: Operation<unknown> = {
  endpoint: 'chat',
  name: 'chatCompletion',
  async parse(exchange) {
    if (exchange.tooLarge) throw invalidRequest('Request body too large.', null, null, 413);
    return parseJson(exchange.body);
  },
  modelOf(body) {
    const model = property(body, 'model');
    return typeof model === 'string' ? model : undefined;
  },
  answer: answerChat,
};

async function answerChat(exchange: Exchange, world: ModelWorld, model: string, body: unknown): Promise<void> {
  const { entry } = exchange;
  const settings = world.settings;
  const recorded = recordable(body);
  entry.body = recorded.body;
  entry.audio = recorded.audio;

  const namedAudio = audioNamedIn(body);
  const fault = world.faults.take('chat', namedAudio !== undefined);
  const delayMs = fault?.kind === 'delay' ? fault.ms : 0;
  if (
    fault !== undefined &&
    (await answerFault(exchange, fault, { clock: world.clock, model, namedAudio })) === 'answered'
  ) {
    return;
  }

  const chat = await acceptChat(body, world.audioIds, world.mp3);
  // The same sounds in the same order, now decoded.
  entry.audio = chat.audio;
  const saying = fault?.kind === 'misread' ? { ...settings, reply: fault.words } : settings;
  const reply = await echoReply(chat, saying, world.synthesizer, REPLY_VOICE);
  const answer: Answer = {
    exchange,
    world,
    settings,
    chat,
    reply,
    model,
    audioId: world.audioIds.create(settings.audioLifeMs),
    fault,
    firstAudioAtMs: entry.atMs + delayMs + settings.firstAudioMs,
  };
  await (chat.stream ? streamAnswer(answer) : sendPlainAnswer(answer));
}

/** The first spoken reply that the history names. */
function audioNamedIn(body: unknown): { id: string; index: number } | undefined {
  const messages = property(body, 'messages');
  if (!Array.isArray(messages)) return undefined;
  for (const [index, message] of messages.entries()) {
    const id = property(property(message, 'audio'), 'id');
    if (property(message, 'role') === 'assistant' && typeof id === 'string') return { id, index };
  }
  return undefined;
}

/** A copy of the body with all sound taken out into a list, as far as it can be read: refused requests are recorded too. */
function recordable(body: unknown): { body: unknown; audio: ReceivedAudio[] } {
  const taken: { format: string; data: string }[] = [];
  const copy = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(copy);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => {
        const data = key === 'input_audio' ? property(inner, 'data') : undefined;
        if (typeof data !== 'string') return [key, copy(inner)];
        taken.push({ data, format: String(property(inner, 'format')) });
        return [key, { ...Object(inner), data: { audio: taken.length - 1 } }];
      }),
    );
  };
  const copied = copy(body);
  const audio = taken.map(({ data, format }) => ({ format, bytes: Buffer.from(data, 'base64'), samples: undefined }));
  return { body: copied, audio };
}

function property(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return new Map<string, unknown>(Object.entries(value)).get(name);
}
