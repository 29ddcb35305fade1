import { expect, test } from 'vitest';

import { SettingsOfChannels } from '../../src/conversation/channel-settings.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { SettingsStore } from '../../src/store/settings-store.ts';
import { StoreError } from '../../src/store/store-error.ts';
import { monotonicClock } from '../../src/time/clock.ts';
import { silentLog } from '../support/silent-log.ts';

const defaults = { voice: 'alloy', answers: 'name' } as const;

function settingsOn(store: SettingsStore, voices = ['alloy', 'coral']) {
  const changed: string[] = [];
  const onChange = (channelId: string): void => void changed.push(channelId);
  return { settings: new SettingsOfChannels({ store, defaults, voices, onChange, log: silentLog }), changed };
}

test('a channel has the defaults until something is chosen, and what is chosen holds at once', async () => {
  await using store = openStore({
    location: { kind: 'sqlite', file: ':memory:' },
    keys: undefined,
    clock: monotonicClock,
  });
  const { settings, changed } = settingsOn(store.settings);
  expect(await settings.load('one')).toEqual(defaults);
  await Promise.all([
    settings.choose('one', 'guild', { voice: 'coral' }),
    settings.choose('one', 'guild', { answers: 'off' }),
  ]);
  expect(settings.of('one')).toEqual({ voice: 'coral', answers: 'off' });
  expect(changed).toEqual(['one', 'one']);
  expect(settings.of('two')).toEqual(defaults);
  // A process that starts later reads the same.
  expect(await settingsOn(store.settings).settings.load('one')).toEqual({ voice: 'coral', answers: 'off' });
  // Where the deployment has no such voice any more, its default speaks.
  expect(await settingsOn(store.settings, ['alloy']).settings.load('one')).toEqual({ voice: 'alloy', answers: 'off' });
});

test('what was not chosen for a call is taken from the channel it was started from', async () => {
  await using store = openStore({
    location: { kind: 'sqlite', file: ':memory:' },
    keys: undefined,
    clock: monotonicClock,
  });
  const { settings } = settingsOn(store.settings);
  await settings.choose('text', 'guild', { voice: 'coral', answers: 'always' });
  await settings.choose('voice', 'guild', { answers: 'button' });
  expect(settings.of('voice', 'text')).toEqual({ voice: 'coral', answers: 'button' });
});

test('a voice there is not is refused, and nothing changes', async () => {
  await using store = openStore({
    location: { kind: 'sqlite', file: ':memory:' },
    keys: undefined,
    clock: monotonicClock,
  });
  const { settings, changed } = settingsOn(store.settings);
  await expect(settings.choose('one', 'guild', { voice: 'nova' })).rejects.toMatchObject({
    problem: { id: 'unknown-voice' },
  });
  expect(await store.settings.load('one')).toBeUndefined();
  expect(changed).toEqual([]);
});

test('while the store is away the defaults hold, a choice is refused in words, and the next look asks again', async () => {
  let isAway = true;
  const store: SettingsStore = {
    load: () =>
      isAway
        ? Promise.reject(new StoreError('unavailable', 'away'))
        : Promise.resolve({ voice: 'coral', answers: 'nonsense' }),
    put: () => Promise.reject(new StoreError('unavailable', 'away')),
    remove: () => Promise.resolve(),
  };
  const { settings, changed } = settingsOn(store);
  expect(await settings.load('one')).toEqual(defaults);
  await expect(settings.choose('one', 'guild', { voice: 'coral' })).rejects.toMatchObject({
    problem: { id: 'memory-away' },
  });
  expect(settings.of('one')).toEqual(defaults);
  isAway = false;
  expect(await settings.load('one')).toEqual({ voice: 'coral', answers: 'name' });
  await expect(settings.choose('one', 'guild', { voice: 'alloy' })).rejects.toMatchObject({ name: 'UserError' });
  expect(settings.of('one').voice).toBe('coral');
  expect(changed).toEqual([]);
});
