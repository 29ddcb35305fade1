import { expect, test } from 'vitest';

import { english } from '../../src/language/english.ts';

/** What Discord takes in one message. */
const MAX_LENGTH = 2000;

test('what is remembered of a crowd names some of them and counts the rest, in a message that Discord takes', () => {
  const facts = { turns: 9000, oldest: new Date(0), newest: new Date(), speechSeconds: 60, hasSummary: true };
  const shown = (count: number): string =>
    english.memory.kept({
      ...facts,
      people: Array.from({ length: count }, (_, index) => `<@1234567890123456${String(index).padStart(4, '0')}>`),
      retentionDays: 30,
    });
  expect(shown(500).length).toBeLessThanOrEqual(MAX_LENGTH);
  expect(shown(500)).toMatch(/<@\d+>, and \d+ others\./);
  expect(shown(2)).toContain('<@12345678901234560000> and <@12345678901234560001>.');
});

test('what strayed from a long text is told in a message that Discord takes', () => {
  const told = english.say.strayed('text '.repeat(400), 'said '.repeat(600));
  expect(told.length).toBeLessThanOrEqual(MAX_LENGTH);
  expect(told).toContain('text text');
  expect(told).toContain('said said');
});
