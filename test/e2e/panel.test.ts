import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

import { english } from '../../src/language/english.ts';
import type { MessageSnapshot } from '../../src/sandbox/control/protocol.ts';
import { voiceOf } from '../support/request-body.ts';
import { now, type Room } from '../support/room.ts';
import { Scene } from '../support/scene.ts';

let scene: Scene;
let room: Room;

beforeAll(async () => {
  scene = await Scene.start();
  await scene.client.setModel({ reply: 'Good evening.' });
});

beforeEach(async () => {
  room = await scene.furnish();
});

afterAll(async () => {
  await scene.expectManners();
  await scene[Symbol.asyncDispose]();
});

/** Both join, Alice calls; the panel as it then is. */
async function called(): Promise<MessageSnapshot> {
  await scene.client.join({ personId: room.bob.id, channelId: room.voice.id });
  await room.call();
  const panel = (await room.messages()).find(({ components }) => components.length > 0);
  if (!panel) throw new Error('the call has no panel');
  return panel;
}

/** Waits until the panel shows this. */
function shows(panel: MessageSnapshot, text: string | RegExp, since = 0): Promise<MessageSnapshot> {
  const fits = (content: string): boolean => (typeof text === 'string' ? content.includes(text) : text.test(content));
  return room.message(({ id, content }) => id === panel.id && fits(content), since);
}

test('the panel says that it listens, whom it hears, with which voice and whom it answers', async () => {
  const panel = await called();
  expect(panel.content).toContain(english.join.listening(`<#${room.voice.id}>`));
  expect(panel.content).toMatch(/\*\*Listening\*\*/);
  for (const { id } of [room.alice, room.bob]) expect(panel.content).toContain(`<@${id}>`);
  expect(panel.content).toContain('**alloy**');
  expect(panel.content).toContain(english.answers.modes.always);
  const since = now();
  await scene.client.leave({ personId: room.bob.id });
  const alone = await shows(panel, `I hear <@${room.alice.id}>.`, since);
  expect(alone.edits).toBeGreaterThan(0);
  await room.leave();
});

test('who presses that they do not want to be heard is not, and the panel says so', async () => {
  const panel = await called();
  const since = now();
  const told = await room.told(room.bob, panel, 'privacy:mute');
  expect(told).toMatchObject({ ephemeral: true, content: english.privacy.notHeard });
  await shows(panel, `not <@${room.bob.id}>`, since);
  expect(await room.told(room.bob, panel, 'join:address')).toMatchObject({
    ephemeral: true,
    content: english.errors['not-heard'],
  });
  await room.say(room.bob, 'Can anybody hear me?', 'rms');
  const { reply } = await room.turn();
  expect(reply.request.audio).toHaveLength(1);
  const again = now();
  await room.press(room.bob, told, 'privacy:in');
  await shows(panel, /I hear <@\d+> and <@\d+>\./, again);
  await room.leave();
});

test('"Stop" ends the answer', async () => {
  const panel = await called();
  await scene.client.setModel({
    reply: 'This answer takes a little while to say, and nobody wants to hear the end of it.',
  });
  const said = await room.say(room.alice, 'Hello there.');
  const from = await room.botSpeaking(true, said.lastVoicePacketAtMs);
  await room.press(room.alice, panel, 'join:stop');
  const to = await room.botSpeaking(false, from.atMs);
  expect(to.atMs - from.atMs).toBeLessThan(3000);
  await scene.client.setModel({ reply: 'Good evening.' });
  await room.turn('And now?');
  await room.leave();
});

test('"Answer me" is for those whom it can hear', async () => {
  const panel = await called();
  expect(await room.told(room.alice, panel, 'join:address')).toMatchObject({
    ephemeral: true,
    content: english.panel.answering,
  });
  const carol = await scene.client.createPerson({ guildId: room.guildId, name: 'Carol' });
  expect(await room.told(carol, panel, 'join:address')).toMatchObject({
    ephemeral: true,
    content: english.errors['not-in-this-call'],
  });
  await room.leave();
});

test('a voice chosen on the panel is heard in the next answer, told to everyone, and kept', async () => {
  const panel = await called();
  const since = now();
  const told = await room.told(room.bob, panel, 'voice:choose', 'coral');
  expect(told).toMatchObject({ ephemeral: false, content: english.voice.changed('coral') });
  await shows(panel, 'My voice is **coral**', since);
  const { reply } = await room.turn();
  expect(voiceOf(reply.request)).toBe('coral');
  await room.told(room.bob, panel, 'answers:choose', 'off');
  await shows(panel, english.answers.modes.off, since);
  await room.leave();
  // The voice channel has it the next time, too.
  const next = await called();
  expect(next.content).toContain('**coral**');
  expect(next.content).toContain(english.answers.modes.off);
  await room.leave();
});

test('"Forget this" asks once more, needs the right to it, and forgets', async () => {
  const panel = await called();
  await room.turn('My secret is a blue bicycle.');
  const refused = await room.told(room.alice, panel, 'forget:ask');
  expect(refused).toMatchObject({ ephemeral: true, content: english.errors['needs-manage-messages'] });
  const may = { channelId: room.voice.id, userId: room.alice.id, deny: [], allow: ['MANAGE_MESSAGES'] };
  await scene.client.setDenied(may);
  const question = await room.told(room.alice, panel, 'forget:ask');
  expect(question).toMatchObject({ ephemeral: true, content: english.forget.confirm.channel });
  await room.press(room.alice, question, `forget:channel:${room.voice.id}`);
  await expect
    .poll(async () => {
      const mine = await scene.client.messages({ channelId: room.text.id, personId: room.alice.id });
      return mine.find(({ id }) => id === question.id)?.content;
    })
    .toBe(english.forget.done(1));
  expect(await room.ask(room.alice, 'memory')).toBe(english.memory.nothing);
  await room.leave();
});

test('"Leave" ends the call, and the panel says so and has no buttons any more', async () => {
  const panel = await called();
  const since = now();
  const told = await room.told(room.alice, panel, 'leave:now');
  expect(told).toMatchObject({ ephemeral: false, content: english.call.gone.left });
  const ended = await shows(panel, english.panel.ended(`<#${room.voice.id}>`), since);
  expect(ended.components).toEqual([]);
  expect(await room.ask(room.alice, 'leave')).toBe(english.errors['not-in-call']);
});

test('buttons that a call left behind do nothing but say so kindly, once', async () => {
  const panel = await called();
  // As when a process is killed: nothing tells the panel that its call has ended.
  await scene.client.restFault({ route: 'PATCH /channels/\\d+/messages/\\d+', times: 1, status: 400 });
  expect(await room.ask(room.alice, 'leave')).toBe(english.call.gone.left);
  expect((await room.messages()).find(({ id }) => id === panel.id)?.components).toHaveLength(3);
  await scene.client.join({ personId: room.alice.id, channelId: room.voice.id });
  const since = now();
  const told = await room.told(room.bob, panel, 'leave:now');
  expect(told).toMatchObject({ ephemeral: true, content: english.errors['old-panel'] });
  const stale = await room.message(({ id, components }) => id === panel.id && components.length === 0, since);
  expect(stale.content).toBe(panel.content);
});
