import { array, assert, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';

import { firstMessage, MAX_MESSAGE_LENGTH, splitMessage } from '../../src/discord/text.ts';

describe('splitMessage', () => {
  it('cuts at the ends of sentences', () => {
    expect(splitMessage('One sentence here. Another one there.', 20)).toEqual([
      'One sentence here.',
      'Another one there.',
    ]);
  });

  it('loses no word and keeps every message within the limit, whatever the text', () => {
    assert(
      property(array(string({ unit: 'grapheme', maxLength: 60 }), { maxLength: 80 }), (words) => {
        const text = words.join(' ');
        const messages = splitMessage(text, 100);
        for (const message of messages) expect(message.length).toBeLessThanOrEqual(100);
        const bare = (value: string): string => value.replace(/\s/g, '');
        // Only what is cleaned away is missing: control characters and hidden link targets.
        if (!/[\p{C}[\]()]/u.test(text)) expect(bare(messages.join(''))).toBe(bare(text));
      }),
    );
  });

  it('gives no message for blank text', () => {
    expect(splitMessage(' \n ')).toEqual([]);
  });

  it('shows where a link leads and drops characters that hide text', () => {
    expect(splitMessage('See [the docs](https://evil.example/x) \u202Enow\u0000')).toEqual([
      'See the docs (https://evil.example/x) now',
    ]);
  });
});

describe('firstMessage', () => {
  it('fits one message and says that there is more', () => {
    const message = firstMessage('word '.repeat(1000));
    expect(message.length).toBeLessThanOrEqual(MAX_MESSAGE_LENGTH);
    expect(message.endsWith('…')).toBe(true);
  });
});
