import { mkdtemp, readdir, readFile, rm, stat, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { addKey, readKeys } from '../../src/store/key-source.ts';
import { Keyring, newMasterKey } from '../../src/store/keyring.ts';
import { openStore, type StoreLocation } from '../../src/store/open-store.ts';
import { rotateKeys } from '../../src/store/rotate.ts';
import { seal, sealText, unseal, unsealText } from '../../src/store/seal.ts';
import { monotonicClock } from '../../src/time/clock.ts';
import { hold, idsOf, incoming } from './support/turns.ts';

const key = Buffer.alloc(32, 'k');
/** Any code units, those that are no text included. */
const anyText = fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units));

describe('sealing', () => {
  test('gives back exactly what was sealed, any text and any bytes', () => {
    fc.assert(
      fc.property(anyText, fc.uint8Array(), (text, bytes) => {
        expect(unsealText(key, sealText(key, text, 'p'), 'p')).toBe(text);
        expect(unseal(key, seal(key, bytes, 'p'), 'p')).toEqual(bytes);
      }),
    );
    for (const text of ['\ud800', 'a\udfff\u0000b', '\udc00\ud800', '']) {
      expect(unsealText(key, sealText(key, text, 'p'), 'p')).toBe(text);
    }
  });

  test('never gives the same bytes twice', () => {
    const sealed = Array.from({ length: 1000 }, () => Buffer.from(sealText(key, 'same', 'p')).toString('hex'));
    expect(new Set(sealed).size).toBe(1000);
  });

  test('notices every changed bit, another key and another place', () => {
    const sealed = sealText(key, 'words', 'turns.reply 1');
    const corrupt = expect.objectContaining({ name: 'StoreError', kind: 'corrupt' });
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = Uint8Array.from(sealed);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => unsealText(key, changed, 'turns.reply 1')).toThrow(corrupt);
    }
    for (let length = 0; length < sealed.length; length++) {
      expect(() => unsealText(key, sealed.subarray(0, length), 'turns.reply 1')).toThrow(corrupt);
    }
    expect(() => unsealText(Buffer.alloc(32, 'x'), sealed, 'turns.reply 1')).toThrow(corrupt);
    expect(() => unsealText(key, sealed, 'turns.reply 2')).toThrow(corrupt);
  });
});

describe('master keys', () => {
  test('the first wraps, all unwrap, comments and blanks are passed over', () => {
    const [older, newer] = [newMasterKey(), newMasterKey()];
    const wrapped = Keyring.parse(older).wrap(key, 'p');
    const ring = Keyring.parse(`# keys\n ${newer} , ${older} # the old one\n`);
    expect(ring.unwrap(wrapped, 'p')).toEqual(Uint8Array.from(key));
    expect(ring.newestId).toBe(Keyring.parse(newer).newestId);
    const missing = expect.objectContaining({ kind: 'wrong-key' });
    expect(() => Keyring.parse(newer).unwrap(wrapped, 'p')).toThrow(missing);
  });

  test.each(['', '# nothing', 'short', 'A'.repeat(42), '!'.repeat(44), `${newMasterKey()},abc`])(
    'refuses %j',
    (text) => {
      expect(() => Keyring.parse(text)).toThrow(expect.objectContaining({ kind: 'wrong-key' }));
    },
  );
});

describe('the key file', () => {
  let dir: string;
  let location: StoreLocation & { kind: 'sqlite' };
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'parley-keys-'));
    location = { kind: 'sqlite', file: join(dir, 'parley.db') };
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  test('is made once, for its owner alone, by whoever is first', async () => {
    const file = join(dir, 'a', 'parley.key');
    const rings = await Promise.all(Array.from({ length: 8 }, () => readKeys({ given: undefined, file }, true)));
    expect(new Set(rings.map((ring) => ring.newestId)).size).toBe(1);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, 'utf8')).toMatch(/^#.*\n[\w+/]{43}=\n$/);
  });

  test('is not made anew when it was lost: what is kept could not be read', async () => {
    const store = openStore({ location, keys: undefined, clock: monotonicClock });
    await hold(store, incoming('a'));
    await store[Symbol.asyncDispose]();
    await unlink(`${location.file}.key`);
    await using again = openStore({ location, keys: undefined, clock: monotonicClock });
    await expect(again.ready()).rejects.toMatchObject({
      kind: 'wrong-key',
      message: expect.stringContaining('missing'),
    });
    await expect(stat(`${location.file}.key`)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('gets a new key while processes run; afterwards the old one opens nothing', async () => {
    const file = `${location.file}.key`;
    await using running = openStore({ location, keys: undefined, clock: monotonicClock });
    for (const id of ['a', 'b']) await hold(running, incoming(id, { conversationId: id }));
    const old = await readFile(file, 'utf8');
    await addKey(file);
    await using rotating = openStore({ location, keys: undefined, clock: monotonicClock });
    await rotating.ready();
    expect(await rotateKeys(rotating, () => {})).toBe(2);
    expect(await rotateKeys(rotating, () => {})).toBe(0);
    // The running process has not read the new key yet.
    for (const id of ['a', 'b']) expect(await idsOf(running, id)).toEqual([id]);
    await using fresh = openStore({ location, keys: undefined, clock: monotonicClock });
    await hold(fresh, incoming('c', { conversationId: 'c' }));
    expect(await idsOf(running, 'c')).toEqual(['c']);
    const onlyOld = join(dir, 'old.key');
    await using late = openStore({ location, keys: old, keyFile: onlyOld, clock: monotonicClock });
    await expect(late.ready()).rejects.toMatchObject({ kind: 'wrong-key' });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test('loses no key when several put one into it at once', async () => {
    const file = `${location.file}.key`;
    await readKeys({ given: undefined, file }, true);
    const before = keysIn(await readFile(file, 'utf8'));
    const tries = await Promise.allSettled(Array.from({ length: 8 }, () => addKey(file)));
    const added = tries.filter(({ status }) => status === 'fulfilled').length;
    expect(added).toBeGreaterThan(0);
    for (const one of tries) if (one.status === 'rejected') expect(one.reason).toMatchObject({ kind: 'locked' });
    // Whoever was told that it is there finds it there, and later ones are let in again.
    await addKey(file);
    const after = keysIn(await readFile(file, 'utf8'));
    expect(after).toHaveLength(before.length + added + 1);
    expect(after.at(-1)).toBe(before[0]);
    expect(await readdir(dir)).toEqual(['parley.db.key']);
  });

  test('is not made by a rotation, when it was lost: the new key would open nothing', async () => {
    for (const file of [`${location.file}.key`, join(dir, 'nowhere', 'parley.key')]) {
      await expect(addKey(file)).rejects.toMatchObject({ kind: 'wrong-key', message: expect.stringContaining(file) });
    }
    expect(await readdir(dir)).toEqual([]);
  });

  test('serves beside a key from the settings, so that one can take the place of the other', async () => {
    const store = openStore({ location, keys: undefined, clock: monotonicClock });
    await hold(store, incoming('a'));
    await store[Symbol.asyncDispose]();
    await using moved = openStore({ location, keys: newMasterKey(), clock: monotonicClock });
    expect(await idsOf(moved, 'channel-1')).toEqual(['a']);
    expect(await rotateKeys(moved, () => {})).toBe(1);
  });
});

function keysIn(text: string): string[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}
