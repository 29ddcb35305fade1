import { SnowflakeUtil } from 'discord.js';
import { expect, test } from 'vitest';
import { bySnowflake, isSnowflake, SnowflakeSource, snowflakeTimeMs } from '../../../src/sandbox/discord/snowflake.ts';

test('ids carry their time as discord.js reads it, and grow even within one millisecond', () => {
  const source = new SnowflakeSource();
  const nowMs = Date.UTC(2026, 1, 3, 4, 5, 6, 789);
  const ids = Array.from({ length: 5000 }, () => source.next(nowMs));
  expect(SnowflakeUtil.timestampFrom(ids[0] ?? '')).toBe(nowMs);
  expect(snowflakeTimeMs(ids[0] ?? '')).toBe(nowMs);
  expect(new Set(ids).size).toBe(5000);
  expect(
    ids
      .map((id) => ({ id }))
      .toSorted(bySnowflake)
      .map(({ id }) => id),
  ).toEqual(ids);
});

test('only unsigned 64-bit numbers are ids', () => {
  expect(isSnowflake('1574942460516237312')).toBe(true);
  expect(['', 'abc', '-1', '1.5', '99999999999999999999', '@me'].filter(isSnowflake)).toEqual([]);
});
