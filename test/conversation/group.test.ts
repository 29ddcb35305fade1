import { describe, expect, it } from 'vitest';

import { FIXED_RULE } from '../../src/conversation/turn-detector.ts';
import { english } from '../../src/language/english.ts';
import { ALICE, BOB, CAROL, SteppedRoom } from './support/stepped-room.ts';

/** Longer than anybody counts as in conversation with the bot. */
const LATER_MS = 40_000;

/** The bot answers a request at once. */
async function answer(room: SteppedRoom, words = 'Well.'): Promise<string[]> {
  const asked = await room.asked();
  const before = room.played.length;
  asked.speak(words, 20);
  asked.end();
  await room.until(() => room.played.length > before);
  await room.silence(1000);
  return asked.words;
}

describe('who is answered', () => {
  it('is everyone who is alone with it', async () => {
    await using room = new SteppedRoom({ answers: 'name', people: 1 });
    await room.say(ALICE, 'What is the time?');
    expect((await room.asked()).labels).toEqual(['Alice:']);
  });

  it('is, among several, only who says its name; it knows what the others said', async () => {
    await using room = new SteppedRoom({ answers: 'name', people: 3 });
    await room.say(ALICE, 'The blue one was better.');
    await room.say(BOB, 'I liked the red one.');
    await room.turns(2);
    expect(room.requestsWaiting).toBe(0);
    expect([...room.said, ...room.captions, ...room.notices]).toEqual([]);
    await room.say(CAROL, 'Parley, what did Bob just say?');
    expect(await answer(room)).toEqual(['Alice: The blue one was better.', 'Bob: I liked the red one.', 'Carol:']);
    expect(room.said).toEqual(['Carol: Parley, what did Bob just say?']);
  });

  it('is the same person again without the name, for a while, and nobody else', async () => {
    await using room = new SteppedRoom({ answers: 'name', people: 3 });
    await room.say(ALICE, 'Parley, hello.');
    await answer(room);
    await room.say(BOB, 'She talks to it.');
    await room.turns(2);
    await room.say(ALICE, 'How are you?');
    expect((await answer(room)).at(-1)).toBe('Alice:');
    await room.silence(LATER_MS);
    await room.say(ALICE, 'Bob, how are you?');
    await room.turns(4);
    expect(room.requestsWaiting).toBe(0);
  });

  it('is whoever pressed the button, and in that mode nobody by name', async () => {
    await using room = new SteppedRoom({ answers: 'button', people: 2 });
    await room.say(ALICE, 'Parley, hello.');
    await room.turns(1);
    expect(room.requestsWaiting).toBe(0);
    room.call.address(BOB.id);
    await room.say(BOB, 'What is the time?');
    expect((await answer(room)).at(-1)).toBe('Bob:');
  });

  it('changes while it runs; switched off it keeps nothing', async () => {
    await using room = new SteppedRoom({ answers: 'off', people: 1 });
    await room.say(ALICE, 'Parley, hello.');
    await room.silence(1000);
    room.answers = 'always';
    await room.say(BOB, 'Hello again.');
    expect(await answer(room)).toEqual(['Bob:']);
  });

  it('has the answer prepared before the words are known while the room talks with it', async () => {
    await using room = new SteppedRoom({ answers: 'name', people: 3, speculates: true });
    await room.say(ALICE, 'Parley, hello.');
    await answer(room);
    // Likely for the bot, so it is asked; it was not, so nobody hears of that.
    await room.speak(BOB, 400, 'I must go now.');
    await room.silence(120);
    const early = await room.asked();
    early.speak('Good bye.', 50);
    await room.silence(FIXED_RULE.silenceMs);
    await room.until(() => early.signal.aborted);
    expect((await room.turns(2)).at(-1)).toMatchObject({
      reply: undefined,
      utterances: [{ speakerName: 'Bob', transcript: 'I must go now.', speech: undefined }],
    });
    expect(room.captions).toEqual(['Well.']);
    expect(room.said).toEqual(['Alice: Parley, hello.']);
  });

  it('tells the room once when nothing can be made out, and goes on', async () => {
    await using room = new SteppedRoom({ answers: 'name', people: 3 });
    room.isDeaf = true;
    await room.say(ALICE, 'Parley, hello.');
    await room.say(ALICE, 'Parley, are you there?');
    await room.until(() => room.notices.length > 0);
    expect(room.notices).toEqual([english.modelErrors['server-fault']]);
    room.isDeaf = false;
    await room.say(ALICE, 'Parley, again.');
    expect((await answer(room)).at(-1)).toBe('Alice:');
  });

  it.each([
    { how: 'at length', ms: 900 },
    { how: 'in a few words', ms: 340 },
  ])('is whoever interrupts $how what they had asked for, without the name', async ({ ms }) => {
    await using room = new SteppedRoom({ answers: 'name', people: 3 });
    await room.say(ALICE, 'Parley, tell us a story.');
    const story = await room.asked();
    story.speak('Once upon a time there was a village.', 300);
    await room.until(() => room.played.length > 0);
    await room.silence(1000);
    await room.say(ALICE, 'No, the other one.', ms);
    expect(story.signal.aborted).toBe(true);
    expect((await answer(room)).at(-1)).toBe('Alice:');
  });

  it('gets one answer to all that was asked while it was answering', async () => {
    await using room = new SteppedRoom({ answers: 'name', people: 3 });
    await room.say(ALICE, 'Parley, one.');
    const first = await room.asked();
    await room.say(BOB, 'Parley, two.');
    await room.say(CAROL, 'Parley, three.');
    first.speak('One.', 20);
    first.end();
    await room.until(() => room.played.length > 0);
    await room.silence(1000);
    expect((await answer(room)).at(-1)).toMatch(/^Bob at 0\.0 s: Carol at \d\.\d s:$/);
  });
});
