import { z } from 'zod';

/** Voices of the chat audio models. */
const VOICES = ['alloy', 'ash', 'ballad', 'coral', 'echo', 'sage', 'shimmer', 'verse', 'marin', 'cedar'] as const;

const textPart = z.looseObject({ type: z.literal('text'), text: z.string() });
const audioPart = z.looseObject({
  type: z.literal('input_audio'),
  input_audio: z.looseObject({ data: z.string(), format: z.enum(['wav', 'mp3']) }),
});

const textContent = z.union([z.string(), z.array(textPart).min(1)]);
const userContent = z.union([z.string(), z.array(z.discriminatedUnion('type', [textPart, audioPart])).min(1)]);

const message = z.discriminatedUnion('role', [
  z.looseObject({ role: z.literal('system'), content: textContent }),
  z.looseObject({ role: z.literal('developer'), content: textContent }),
  z.looseObject({ role: z.literal('user'), content: userContent }),
  z.looseObject({
    role: z.literal('assistant'),
    content: textContent.nullish(),
    audio: z.looseObject({ id: z.string() }).nullish(),
    tool_calls: z.array(z.unknown()).optional(),
  }),
  z.looseObject({ role: z.literal('tool'), content: textContent, tool_call_id: z.string() }),
]);

const number = (min: number, max: number) => z.number().min(min).max(max).nullish();
const anything = z.unknown().optional();

/** The body of a chat completion. A key that is not here is refused. */
export const chatRequestSchema = z.object({
  messages: z.array(message).min(1),
  model: z.string().optional(),
  modalities: z
    .array(z.enum(['text', 'audio']))
    .min(1)
    .nullish(),
  audio: z
    .looseObject({ voice: z.enum(VOICES), format: z.enum(['wav', 'aac', 'mp3', 'flac', 'opus', 'pcm16']) })
    .nullish(),
  stream: z.boolean().nullish(),
  stream_options: z
    .looseObject({ include_usage: z.boolean().optional(), include_obfuscation: z.boolean().optional() })
    .nullish(),
  max_completion_tokens: z.int().min(1).nullish(),
  max_tokens: z.int().min(1).nullish(),
  n: z.int().min(1).max(1).nullish(),
  temperature: number(0, 2),
  top_p: number(0, 1),
  frequency_penalty: number(-2, 2),
  presence_penalty: number(-2, 2),
  seed: z.int().nullish(),
  stop: anything,
  user: z.string().optional(),
  safety_identifier: z.string().optional(),
  prompt_cache_key: z.string().optional(),
  prompt_cache_retention: anything,
  metadata: anything,
  store: anything,
  service_tier: anything,
  logit_bias: anything,
  logprobs: anything,
  top_logprobs: anything,
  response_format: anything,
  tools: anything,
  tool_choice: anything,
  parallel_tool_calls: anything,
  functions: anything,
  function_call: anything,
  prediction: anything,
  reasoning_effort: anything,
  verbosity: anything,
});

export type ChatRequest = z.infer<typeof chatRequestSchema>;
export type ChatMessage = ChatRequest['messages'][number];
