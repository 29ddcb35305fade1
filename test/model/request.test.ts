import { describe, expect, test } from 'vitest';

import { RequestTooLargeError } from '../../src/model/errors.ts';
import type { Conversation, Message, UserMessage } from '../../src/model/model.ts';
import { buildRequest, MAX_REQUEST_AUDIO_BYTES } from '../../src/model/request.ts';

const NOW = 1_800_000_000_000;

const OPTIONS = {
  output: 'voice',
  voice: 'marin',
  model: 'gpt-audio-1.5',
  nowEpochMs: NOW,
  useReferences: true,
  maxReplyTokens: 100,
} as const;

const written: UserMessage = { role: 'user', parts: [{ type: 'text', text: 'Good morning.' }] };

function spoken(bytes: number): UserMessage {
  const speech = { format: 'wav', data: new Uint8Array(bytes).fill(7), durationMs: 20 } as const;
  return {
    role: 'user',
    parts: [
      { type: 'text', text: 'Alice at 0.0 s:' },
      { type: 'speech', speech },
    ],
  };
}

function conversation(...messages: Message[]): Conversation {
  return { instructions: 'Be brief.', messages };
}

function assistantParam(expiresInMs: number, useReferences = true): unknown {
  const audio = { id: 'audio_1', expiresAtMs: NOW + expiresInMs };
  const history = conversation(written, { role: 'assistant', text: 'Hello.', audio }, written);
  return buildRequest(history, { ...OPTIONS, useReferences }).params.messages[2];
}

describe('what is asked for', () => {
  test('a spoken answer is pcm16, streamed, counted and bounded', () => {
    const { params, audioBytes } = buildRequest(conversation(spoken(10)), OPTIONS);
    expect(audioBytes).toBe(10);
    expect(params).toEqual({
      model: 'gpt-audio-1.5',
      messages: [
        { role: 'system', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Alice at 0.0 s:' },
            { type: 'input_audio', input_audio: { data: Buffer.alloc(10, 7).toString('base64'), format: 'wav' } },
          ],
        },
      ],
      stream: true,
      stream_options: { include_usage: true },
      max_completion_tokens: 100,
      modalities: ['text', 'audio'],
      audio: { format: 'pcm16', voice: 'marin' },
    });
  });

  test('a written answer to speech asks for words only', () => {
    const { params } = buildRequest(conversation(spoken(10)), { ...OPTIONS, output: 'text' });
    expect(params.modalities).toEqual(['text']);
    expect(params.audio).toBeUndefined();
  });

  test('a written answer to written words still asks for audio, because the API wants some in or out', () => {
    const { params } = buildRequest(conversation(written), { ...OPTIONS, output: 'text' });
    expect(params.modalities).toEqual(['text', 'audio']);
    expect(params.audio).toEqual({ format: 'pcm16', voice: 'marin' });
  });

  test('speech earlier in the conversation counts as audio in the input', () => {
    const history = conversation(spoken(10), { role: 'assistant', text: 'Hello.', audio: undefined }, written);
    expect(buildRequest(history, { ...OPTIONS, output: 'text' }).params.modalities).toEqual(['text']);
  });
});

describe('earlier replies', () => {
  test('go by id while the server has them', () => {
    expect(assistantParam(60_001)).toEqual({ role: 'assistant', audio: { id: 'audio_1' } });
  });

  test('go as text from a minute before they expire, and when ids are not wanted', () => {
    const text = { role: 'assistant', content: 'Hello.' };
    expect(assistantParam(60_000)).toEqual(text);
    expect(assistantParam(3_600_000, false)).toEqual(text);
  });

  test('are left out when nothing of them was heard', () => {
    const history = conversation(written, { role: 'assistant', text: '', audio: undefined }, written);
    expect(buildRequest(history, OPTIONS).params.messages.map(({ role }) => role)).toEqual(['system', 'user', 'user']);
  });
});

describe('limits', () => {
  test('audio of all messages together is limited before it is sent', () => {
    const half = MAX_REQUEST_AUDIO_BYTES / 2;
    expect(buildRequest(conversation(spoken(half), spoken(half)), OPTIONS).audioBytes).toBe(MAX_REQUEST_AUDIO_BYTES);
    expect(() => buildRequest(conversation(spoken(half), spoken(half + 1)), OPTIONS)).toThrow(RequestTooLargeError);
  });

  test('there must be something to answer', () => {
    expect(() => buildRequest(conversation(), OPTIONS)).toThrow(RangeError);
    expect(() => buildRequest(conversation({ role: 'user', parts: [] }), OPTIONS)).toThrow(RangeError);
    const answered = conversation(written, { role: 'assistant', text: 'Hello.', audio: undefined });
    expect(() => buildRequest(answered, OPTIONS)).toThrow(RangeError);
  });
});
