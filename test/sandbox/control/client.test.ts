import { expect, test } from 'vitest';
import {
  SandboxCallError,
  SandboxClient,
  SandboxClosedError,
  SandboxTimeoutError,
} from '../../../src/sandbox/control/client.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { TestWorld } from '../discord/test-world.ts';

const isMessage = (event: { type: string }) => event.type === 'message-created';

test('what happened before one waits for it is found, unless it is too old', async () => {
  await using world = await TestWorld.start();
  const say = (content: string) =>
    world.control.sendMessage({ personId: world.alice, channelId: world.textId, content });
  const first = await say('first');
  const second = await say('second');
  expect(await world.control.waitFor(isMessage)).toMatchObject({ message: { id: first.id } });
  const later = await world.control.waitFor(isMessage, { since: second.createdAtMs });
  expect(later).toMatchObject({ message: { id: second.id } });
});

test('waiting ends with the time that was given', async () => {
  await using world = await TestWorld.start();
  const clock = new ManualClock();
  await using client = await SandboxClient.connect(world.controlUrl, clock);
  const waiting = client.waitFor(() => false, { timeoutMs: 50 });
  clock.advance(50);
  await expect(waiting).rejects.toBeInstanceOf(SandboxTimeoutError);
  expect(clock.pending).toEqual([]);
});

test('events are a stream that ends with the signal', async () => {
  await using world = await TestWorld.start();
  const stop = new AbortController();
  const events = world.control.events(stop.signal);
  const next = events.next();
  await world.control.join({ personId: world.alice, channelId: world.loungeId });
  expect((await next).value).toMatchObject({ type: 'voice-state', userId: world.alice });
  const last = events.next();
  stop.abort();
  expect((await last).done).toBe(true);
});

test('a refused call is an error of its own kind, and so is a sandbox that has gone', async () => {
  const world = await TestWorld.start();
  const client = await SandboxClient.connect(world.controlUrl);
  await expect(client.call('leave', { personId: '1' })).rejects.toBeInstanceOf(SandboxCallError);
  const waiting = client.waitFor(() => false);
  await world[Symbol.asyncDispose]();
  await expect(waiting).rejects.toBeInstanceOf(SandboxClosedError);
  await client[Symbol.asyncDispose]();
  await expect(SandboxClient.connect(world.controlUrl)).rejects.toThrow();
});
