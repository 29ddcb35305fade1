import { afterAll, beforeAll, expect, test } from 'vitest';

import type { MessageSnapshot } from '../../src/sandbox/control/protocol.ts';
import { now, type Room } from '../support/room.ts';
import { Scene } from '../support/scene.ts';

let scene: Scene;
let room: Room;

beforeAll(async () => {
  scene = await Scene.start();
  room = scene.home;
  await room.call();
});

afterAll(async () => {
  await scene.expectManners();
  await scene[Symbol.asyncDispose]();
});

test('the words of a long reply grow while it is spoken, within the limits, and end as they were sent', async () => {
  const reply =
    'Good evening, everyone. Let me tell you what I know about the sea. It is deep, and it is wide. ' +
    'Nobody has counted the fish in it. Some people say that it never sleeps. I believe that they are right.';
  // The model's words come no faster than its voice, as those of a slow model do.
  await scene.client.setModel({ reply, speed: 1 });
  const said = await room.say(room.alice, 'Tell me about the sea.');
  const shown = snapshots(said.lastVoicePacketAtMs);
  const spoken = await room.replied(said);
  expect(spoken.request.reply?.text).toBe(reply);
  const { id } = await room.reads(reply, said.lastVoicePacketAtMs);

  const growth = (await shown()).filter((message) => message.id === id);
  expect(growth.length).toBeGreaterThanOrEqual(4);
  for (const [index, { content }] of growth.entries()) {
    expect(reply.startsWith(content), content).toBe(true);
    expect(content.length).toBeGreaterThanOrEqual(growth[index - 1]?.content.length ?? 0);
  }
  expect(growth[0]?.createdAtMs, 'words appear while the voice is heard').toBeLessThan(spoken.toMs - 3000);
  expect(growth.at(-2)?.content).not.toBe('');
  await scene.client.setModel({ speed: 8 });
});

test('words that would ping somebody do not, spoken or written', async () => {
  const reply = `Hey @everyone and @here and <@${room.bob.id}>, listen.`;
  await scene.client.setModel({ reply });
  await room.turn();
  const caption = await room.reads(reply, room.calledAtMs);
  expect(await room.ask(room.alice, 'ask', { prompt: `Call <@${room.bob.id}> and @everyone` })).toBe(reply);
  const texts = await room.messages();
  expect(texts.filter(({ content }) => content === reply)).toHaveLength(2);
  expect(texts.flatMap(({ pinged }) => pinged)).toEqual([]);
  expect(caption.embeds).toEqual([]);
});

test('a channel that is slow to take the words does not hold up the conversation', async () => {
  await scene.client.setModel({ reply: 'All right.' });
  await scene.client.restFault({ route: 'POST /channels/\\d+/messages', times: 1, status: 200, delayMs: 6000 });
  const since = now();
  const first = await room.turn('Hello there.');
  const second = await room.turn('And again.');
  expect(second.reply.fromMs - first.reply.toMs, 'the next answer came without waiting').toBeLessThan(5500);
  const caption = await room.message(({ content }) => content === 'All right.', since);
  expect(caption.createdAtMs).toBeGreaterThan(second.reply.fromMs);
});

/** Collects what is shown in the text channel from then on. */
function snapshots(since: number): () => Promise<MessageSnapshot[]> {
  const stop = new AbortController();
  const seen: MessageSnapshot[] = [];
  const collecting = (async () => {
    for await (const event of scene.client.events(stop.signal)) {
      if ((event.type === 'message-created' || event.type === 'message-updated') && event.atMs >= since) {
        if (event.message.channelId === room.text.id) seen.push(event.message);
      }
    }
  })();
  return async () => {
    stop.abort();
    await collecting;
    return seen;
  };
}
