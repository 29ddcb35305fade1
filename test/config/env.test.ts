import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { parseConfig } from '../../src/config/config.ts';
import { readEnv, VARIABLES } from '../../src/config/env.ts';

test('blanks around a value are dropped, and a blank value is not set', () => {
  expect(readEnv({ OPENAI_MODEL: ' gpt-audio-1.5\n', OPENAI_API_KEY: '  ', DISCORD_TOKEN: '' })).toEqual({
    OPENAI_MODEL: 'gpt-audio-1.5',
  });
});

test('variables of other programs are not taken along', () => {
  expect(readEnv({ PATH: '/bin', HOME: '/root' })).toEqual({});
});

test('the example settings name every variable once, all of them off', () => {
  const example = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');
  const lines = example.split('\n').filter((line) => line !== '' && !line.startsWith('# '));
  expect(lines.map((line) => /^#(\w+)=/.exec(line)?.[1])).toEqual(expect.arrayContaining([...VARIABLES]));
  expect(lines).toHaveLength(VARIABLES.length);
});

test('the values of the example settings are valid, each group on its own', () => {
  const example = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');
  const values = Object.fromEntries(
    [...example.matchAll(/^#(\w+)=(.+)$/gm)].map(([, name, value]) => [name ?? '', value]),
  );
  expect(parseConfig(readEnv({ ...values, DISCORD_API_URL: '' }))).toMatchObject({ model: { kind: 'azure' } });
});
