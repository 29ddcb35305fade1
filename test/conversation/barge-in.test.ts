import { describe, expect, it } from 'vitest';

import { FRAME_MS } from '../../src/audio/frame.ts';
import { Framer } from '../../src/audio/framer.ts';
import { FIXED_RULE } from '../../src/conversation/turn-detector.ts';
import { spoken } from '../audio/sounds.ts';
import { ALICE, BOB, SteppedRoom, type RoomOptions } from './support/stepped-room.ts';

const FRAMES = 300;
const ALL = Array.from({ length: FRAMES }, (_, index) => index);
const STORY = 'One two three four five six seven eight nine ten eleven twelve.';

/** A room in which the bot has told the first second of a story of six. */
async function telling(options: RoomOptions = {}): Promise<{ room: SteppedRoom; story: { signal: AbortSignal } }> {
  const room = new SteppedRoom(options);
  await room.say(ALICE, 'Parley, tell us a story.');
  const story = await room.asked();
  story.speak(STORY, FRAMES);
  story.end();
  await room.until(() => room.played.length > 0);
  await room.silence(1000);
  return { room, story };
}

describe('speech over a reply', () => {
  it.each([
    { what: 'a cough', ms: 120, words: '' },
    { what: 'an "mm-hm"', ms: 360, words: 'Mm-hm.' },
  ])('turns it down and loses no frame when it is $what', async ({ ms, words }) => {
    const { room } = await telling();
    await using _room = room;
    await room.speak(ALICE, ms, words);
    expect(room.played.at(-1)?.gain).toBeCloseTo(0.25, 2);
    await room.silence(FIXED_RULE.silenceMs);
    expect(room.played.at(-1)?.gain).toBeCloseTo(1, 2);
    await room.silence(6000);
    expect(room.played.map(({ number }) => number)).toEqual(ALL);
    const [turn] = await room.turns(1);
    expect(turn?.reply?.text).toBe(STORY);
    expect(room.requestsWaiting).toBe(0);
    // Only ducked: a frame every 20 ms all the while.
    expect(room.phases).not.toContain('paused');
  });

  it('stops it at a short "stop", and asks for no answer to that', async () => {
    const { room, story } = await telling();
    await using _room = room;
    await room.speak(ALICE, 300, 'Stop.');
    await room.silence(200);
    await room.until(() => story.signal.aborted);
    const [turn] = await room.turns(1);
    expect(turn?.state).toBe('interrupted');
    expect(STORY.startsWith(turn?.reply?.text ?? '-')).toBe(true);
    await room.silence(2000);
    expect(room.requestsWaiting).toBe(0);
    expect((await room.turns(2)).at(-1)).toMatchObject({ reply: undefined, utterances: [{ transcript: 'Stop.' }] });
  });

  it('pauses it after the guard time, stops it once it is a turn, and answers that', async () => {
    const { room, story } = await telling();
    await using _room = room;
    await room.speak(ALICE, 440, 'Wait, I have a better idea.');
    const paused = room.played.length;
    expect(room.phases.at(-1)).toBe('paused');
    expect(story.signal.aborted).toBe(false);
    await room.speak(ALICE, 200, 'Really.');
    expect(room.played.length).toBe(paused);
    await room.speak(ALICE, 200, 'Listen.');
    expect(story.signal.aborted).toBe(true);
    await room.silence(FIXED_RULE.silenceMs);
    const next = await room.asked();
    expect(STORY.startsWith(next.words.at(-2) ?? '-'), next.words.at(-2)).toBe(true);
    expect(room.played.length).toBeLessThanOrEqual(paused + 1);
  });

  it('resumes it exactly where it was paused when it was no turn', async () => {
    const { room } = await telling({ answers: 'name', people: 3 });
    await using _room = room;
    await room.speak(ALICE, 500, 'Mm-hm.');
    expect(room.phases.at(-1)).toBe('paused');
    await room.silence(FIXED_RULE.silenceMs);
    await room.until(() => room.phases.at(-1) === 'speaking');
    await room.silence(6500);
    expect(room.played.map(({ number }) => number)).toEqual(ALL);
  });

  it('keeps for the history what was played, to the frame', async () => {
    const { room } = await telling();
    await using _room = room;
    await room.speak(ALICE, 800, 'Now something else.');
    await room.turns(1);
    expect(room.timings).toMatchObject([{ heard: 'part', playedMs: room.played.length * FRAME_MS }]);
  });
});

describe('its own voice from a loudspeaker', () => {
  it.each([100, 250, 400])('at -20 dB after %i ms is taken for nobody', async (delayMs) => {
    const sound = await spoken('Once upon a time there was a small village. In it lived a baker who loved the sea.');
    const frames = new Framer().push(sound);
    await using room = new SteppedRoom({ echo: { speaker: BOB, delayMs, gainDb: -20 } });
    await room.say(ALICE, 'Tell us a story.');
    const story = await room.asked();
    story.say('Once upon a time.', frames);
    story.end();
    await room.until(() => room.played.length > 0);
    await room.silence(frames.length * FRAME_MS + 2000);
    expect(story.signal.aborted).toBe(false);
    expect(room.phases).not.toContain('paused');
    expect(await room.turns(1)).toMatchObject([{ state: 'done', reply: { text: 'Once upon a time.' } }]);
    expect(room.requestsWaiting).toBe(0);
  });
});

describe('after two minutes of speech', () => {
  it('waits for a pause, and is not taken back', async () => {
    await using room = new SteppedRoom();
    await room.speak(ALICE, 120_200, 'It all began a long time ago.');
    const answer = await room.asked();
    answer.speak('I see.', 20);
    answer.end();
    await room.begun(1);
    await room.speak(ALICE, 1000, 'And then.');
    expect(answer.signal.aborted).toBe(false);
    await room.silence(400);
    expect(room.played.length).toBeGreaterThan(0);
  });
});

describe('in a group', () => {
  it('others may talk among themselves while it speaks', async () => {
    const { room, story } = await telling({ answers: 'name', people: 3 });
    await using _room = room;
    await room.speak(BOB, 1200, 'Did you see the game?');
    await room.silence(FIXED_RULE.silenceMs + 5500);
    expect(story.signal.aborted).toBe(false);
    expect(room.played.map(({ number }) => number)).toEqual(ALL);
    expect((await room.turns(2)).map(({ utterances }) => utterances[0]?.transcript)).toContain('Did you see the game?');
    expect(room.requestsWaiting).toBe(0);
  });

  it('anybody stops it by saying its name, or "stop"', async () => {
    for (const words of ['Parley, enough of that.', 'Stop.']) {
      const { room, story } = await telling({ answers: 'name', people: 3 });
      await using _room = room;
      await room.speak(BOB, 380, words);
      await room.silence(200);
      await room.until(() => story.signal.aborted);
    }
  });

  it('others who talk for long before it has begun only make it wait', async () => {
    await using room = new SteppedRoom({ answers: 'name', people: 3 });
    await room.say(ALICE, 'Parley, tell us a story.');
    const story = await room.asked();
    await room.speak(BOB, 2200, 'And then we went to the sea, and then to the mountains.');
    story.speak('Once upon a time.', 20);
    story.end();
    await room.begun(1);
    expect(room.played).toEqual([]);
    await room.silence(FIXED_RULE.silenceMs + 1000);
    expect(room.played).toHaveLength(20);
    expect(room.captions).toEqual(['Once upon a time.']);
  });

  it('others who never stop have it begin behind them', async () => {
    await using room = new SteppedRoom({ answers: 'name', people: 3 });
    await room.say(ALICE, 'Parley, tell us a story.');
    const story = await room.asked();
    await room.speak(BOB, 2200, 'And so on,');
    story.speak('Once upon a time.', 20);
    story.end();
    await room.begun(1);
    await room.speak(BOB, 12_000, 'and on.');
    expect(room.played).toHaveLength(20);
    expect(room.played.slice(1).every(({ gain }) => gain < 0.3)).toBe(true);
    expect(room.captions).toEqual(['Once upon a time.']);
  });

  it('whoever speaks over it for two seconds has the floor', async () => {
    const { room, story } = await telling({ answers: 'name', people: 3 });
    await using _room = room;
    await room.speak(BOB, 2040, 'And then we went to the sea, and then to the mountains.');
    expect(story.signal.aborted).toBe(true);
    await room.silence(FIXED_RULE.silenceMs + 500);
    expect(room.requestsWaiting).toBe(0);
  });
});
