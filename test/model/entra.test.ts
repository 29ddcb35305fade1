import type { AccessToken } from '@azure/identity';
import { describe, expect, test } from 'vitest';

import { EntraTokens } from '../../src/model/entra.ts';
import { SignInError } from '../../src/model/errors.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordedLog } from './support/recorded-log.ts';

const HOUR_MS = 3_600_000;
const SCOPE = 'https://cognitiveservices.azure.com/.default';

/** A credential whose answers the test gives, and tokens that are asked for with it. */
function setUp() {
  const asked: {
    resolve(token: AccessToken | null): void;
    reject(error: Error): void;
    aborted(): boolean | undefined;
  }[] = [];
  const clock = new ManualClock();
  const log = new RecordedLog();
  const wall = { nowMs: 1_800_000_000_000 };
  const tokens = new EntraTokens({
    scope: SCOPE,
    clock,
    log,
    wallClockMs: () => wall.nowMs,
    credential: {
      getToken(scope, options) {
        expect(scope).toBe(SCOPE);
        const { promise, resolve, reject } = Promise.withResolvers<AccessToken | null>();
        asked.push({ resolve, reject, aborted: () => options?.abortSignal?.aborted });
        return promise;
      },
    },
  });
  const give = (token: string, lifeMs = HOUR_MS) =>
    asked.at(-1)?.resolve({ token, expiresOnTimestamp: wall.nowMs + lifeMs });
  return { tokens, asked, give, wall, clock, log };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('tokens', () => {
  test('one sign-in serves everybody who waits, and later ones until it expires', async () => {
    const { tokens, asked, give, wall } = setUp();
    const waiting = [tokens.token(), tokens.token(), tokens.token()];
    await settled();
    give('one');
    expect(await Promise.all(waiting)).toEqual(['one', 'one', 'one']);
    wall.nowMs += HOUR_MS - 5 * 60_000 - 1;
    expect(await tokens.token()).toBe('one');
    expect(asked).toHaveLength(1);
  });

  test('in its last five minutes a token is used while the next one is fetched', async () => {
    const { tokens, asked, give, wall } = setUp();
    const first = tokens.token();
    await settled();
    give('one');
    await first;
    wall.nowMs += HOUR_MS - 5 * 60_000;
    expect(await tokens.token()).toBe('one');
    expect(await tokens.token()).toBe('one');
    expect(asked).toHaveLength(2);
    give('two');
    await settled();
    expect(await tokens.token()).toBe('two');
  });

  test('a renewal that fails is told once, leaves the old token in use, and is not tried at every request', async () => {
    const { tokens, asked, give, wall, log } = setUp();
    const first = tokens.token();
    await settled();
    give('one');
    await first;
    wall.nowMs += HOUR_MS - 4 * 60_000;
    await tokens.token();
    asked.at(-1)?.reject(new Error('offline'));
    await settled();
    expect(await tokens.token()).toBe('one');
    expect(asked).toHaveLength(2);
    expect(log.at('warn')).toHaveLength(1);
    wall.nowMs += 30_000;
    expect(await tokens.token()).toBe('one');
    expect(asked).toHaveLength(3);
  });

  test('an expired token is never used', async () => {
    const { tokens, give, wall } = setUp();
    const first = tokens.token();
    await settled();
    give('one');
    await first;
    wall.nowMs += HOUR_MS;
    const next = tokens.token();
    await settled();
    give('two');
    expect(await next).toBe('two');
  });
});

describe('a sign-in that fails', () => {
  test('says what to do, keeps the cause, and does not stand in the way of the next', async () => {
    const { tokens, asked, give } = setUp();
    const first = tokens.token();
    await settled();
    const cause = new Error('CredentialUnavailable');
    asked.at(-1)?.reject(cause);
    const error = await first.catch((error: unknown) => error);
    expect(error).toBeInstanceOf(SignInError);
    expect(error).toMatchObject({ kind: 'sign-in', cause });
    expect(error).toMatchObject({ operatorHint: expect.stringMatching(/az login.*Cognitive Services OpenAI User/) });

    const second = tokens.token();
    await settled();
    give('one');
    expect(await second).toBe('one');
  });

  test('by hanging ends after ten seconds and is called off', async () => {
    const { tokens, asked, clock } = setUp();
    const first = tokens.token();
    first.catch(() => {});
    await settled();
    clock.advance(9_999);
    await settled();
    expect(asked.at(-1)?.aborted()).toBe(false);
    clock.advance(1);
    await expect(first).rejects.toBeInstanceOf(SignInError);
    expect(asked.at(-1)?.aborted()).toBe(true);
  });

  test('by giving no token is a failed sign-in too', async () => {
    const { tokens, asked } = setUp();
    const first = tokens.token();
    await settled();
    asked.at(-1)?.resolve(null);
    await expect(first).rejects.toBeInstanceOf(SignInError);
  });
});
