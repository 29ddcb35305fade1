import { randomBytes } from 'node:crypto';

import type { ApiStyle } from './api-error.ts';

const SAFE = { filtered: false, severity: 'safe' };

/** What Azure's content filter says of harmless content. */
export const SAFE_CONTENT = { hate: SAFE, self_harm: SAFE, sexual: SAFE, violence: SAFE };
const SAFE_PROMPT = { ...SAFE_CONTENT, jailbreak: { filtered: false, detected: false } };
const FILTERED_CONTENT = { ...SAFE_CONTENT, violence: { filtered: true, severity: 'high' } };
/** The filter itself was down: the content has not been looked at. */
const UNFILTERED = { error: { code: 'content_filter_error', message: 'The contents are not filtered' } };

export type FilterState = 'safe' | 'filtered' | 'down';

/** What the content filter says beside a choice. */
export function filterResults(state: FilterState): object {
  return { safe: SAFE_CONTENT, filtered: FILTERED_CONTENT, down: UNFILTERED }[state];
}

export function promptFilterResults(state: FilterState): object[] {
  return [{ prompt_index: 0, content_filter_results: state === 'down' ? UNFILTERED : SAFE_PROMPT }];
}

/** What all parts of one answer have in common. */
export interface Envelope {
  readonly id: string;
  readonly object: 'chat.completion' | 'chat.completion.chunk';
  readonly created: number;
  readonly model: string;
  readonly system_fingerprint: string;
}

export function envelope(object: Envelope['object'], model: string): Envelope {
  return {
    id: `chatcmpl-${randomBytes(15).toString('base64url')}`,
    object,
    created: Math.floor(Date.now() / 1000),
    model,
    system_fingerprint: 'fp_sandbox',
  };
}

/** One event of a stream. */
export function frame(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

export const END_OF_STREAM = 'data: [DONE]\n\n';

/** Base64 of 16-bit little-endian samples: what the API calls pcm16. Every platform Node runs on is little-endian. */
export function pcm16(samples: Int16Array): string {
  return Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength).toString('base64');
}

/** Headers that every answer of the models carries. */
export function answerHeaders(style: ApiStyle): Record<string, string> {
  const id = crypto.randomUUID();
  const limits = {
    'x-ratelimit-limit-requests': '1000',
    'x-ratelimit-limit-tokens': '1000000',
    'x-ratelimit-remaining-requests': '999',
    'x-ratelimit-remaining-tokens': '999000',
  };
  return style === 'openai'
    ? { 'x-request-id': `req_${id.replaceAll('-', '')}`, 'openai-version': '2020-10-01', ...limits }
    : { 'x-request-id': id, 'apim-request-id': id, 'x-ms-region': 'Sandbox', ...limits };
}
