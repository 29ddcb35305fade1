import { describe, expect, it } from 'vitest';

import { FRAME_MS } from '../../src/audio/frame.ts';
import { FIXED_RULE } from '../../src/conversation/turn-detector.ts';
import { english } from '../../src/language/english.ts';
import { ModelBusyError } from '../../src/model/errors.ts';
import { ALICE, BOB, SteppedRoom } from './support/stepped-room.ts';

describe('Call', () => {
  it('asks when the silence after speech is over, and not before', async () => {
    await using room = new SteppedRoom();
    await room.speak(ALICE, 400);
    await room.silence(FIXED_RULE.silenceMs - 2 * FRAME_MS);
    expect(room.requestsWaiting).toBe(0);
    await room.silence(2 * FRAME_MS);
    expect((await room.asked()).labels).toEqual(['Alice:']);
  });

  it('ends a turn of which something went wrong that nobody thought of', async () => {
    await using room = new SteppedRoom();
    room.timings.push = () => {
      throw new Error('broken');
    };
    await room.say(ALICE, 'Hello there.');
    const answer = await room.asked();
    answer.speak('Hello Alice.', 2);
    answer.end();
    await room.begun(1);
    await room.silence(1000);
    await room.until(() => room.notices.includes(english.errors.unexpected));
    expect(await room.turns(1)).toMatchObject([{ state: 'done', reply: { text: 'Hello Alice.' } }]);
  });

  it('makes one turn of two people who speak at once', async () => {
    await using room = new SteppedRoom();
    await room.speak(BOB, 200);
    await room.speak(ALICE, 600);
    await room.silence(FIXED_RULE.silenceMs);
    expect((await room.asked()).labels).toEqual(['Bob at 0.0 s:', 'Alice at 0.2 s:']);
  });

  it('speaks the reply, shows its words and remembers both', async () => {
    await using room = new SteppedRoom();
    await room.speak(ALICE, 400);
    await room.silence(FIXED_RULE.silenceMs);
    const first = await room.asked();
    first.speak('Hello Alice.', 20);
    first.end();
    await room.begun(1);
    await room.silence(1000);
    await room.turns(1);
    expect(room.captions).toEqual(['Hello Alice.']);
    await room.speak(ALICE, 400);
    await room.silence(FIXED_RULE.silenceMs);
    const roles = (await room.asked()).conversation.messages.map((message) => message.role);
    expect(roles).toEqual(['user', 'assistant', 'user']);
  });

  it('stops when someone speaks over the reply, and remembers only what was heard', async () => {
    await using room = new SteppedRoom();
    await room.speak(ALICE, 400);
    await room.silence(FIXED_RULE.silenceMs);
    const first = await room.asked();
    first.speak('One two three four five six seven eight nine ten.', 200);
    first.end();
    await room.begun(1);
    await room.silence(2000);
    await room.speak(BOB, 800);
    expect(first.signal.aborted).toBe(true);
    expect(room.captions[0]).toMatch(/^One two .*…$/);
    expect(room.captions[0]).not.toContain('ten');
    await room.turns(1);
    await room.silence(FIXED_RULE.silenceMs);
    const second = await room.asked();
    const assistant = second.conversation.messages.find((message) => message.role === 'assistant');
    expect(`${assistant?.text}…`).toBe(room.captions[0]);
    expect(second.labels).toEqual(['Bob:']);
  });

  it('goes on through a click', async () => {
    await using room = new SteppedRoom();
    await room.speak(ALICE, 400);
    await room.silence(FIXED_RULE.silenceMs);
    const answer = await room.asked();
    answer.speak('One two three.', 100);
    answer.end();
    await room.begun(1);
    await room.silence(500);
    await room.speak(BOB, 40);
    await room.silence(2500);
    await room.turns(1);
    expect(room.captions).toEqual(['One two three.']);
  });

  it('takes a pause for no end when the speaker goes on before anything was heard', async () => {
    await using room = new SteppedRoom();
    await room.speak(ALICE, 400);
    await room.silence(FIXED_RULE.silenceMs);
    const early = await room.asked();
    await room.speak(ALICE, 400);
    expect(early.signal.aborted).toBe(true);
    await room.silence(FIXED_RULE.silenceMs);
    const whole = await room.asked();
    expect(whole.labels).toEqual(['Alice at 0.0 s:', 'Alice at 0.9 s:']);
    expect(whole.conversation.messages).toHaveLength(1);
  });

  it('ends the turn at once when its speaker leaves', async () => {
    await using room = new SteppedRoom();
    await room.speak(ALICE, 400);
    await room.gone(ALICE);
    expect((await room.asked()).labels).toEqual(['Alice:']);
  });

  it('tells the room when the model fails, and answers the next turn', async () => {
    await using room = new SteppedRoom();
    await room.speak(ALICE, 400);
    await room.silence(FIXED_RULE.silenceMs);
    (await room.asked()).fail(new ModelBusyError({ operatorHint: 'wait' }));
    await room.turns(1);
    expect(room.notices).toEqual([english.modelErrors.busy]);
    await room.speak(ALICE, 400);
    await room.silence(FIXED_RULE.silenceMs);
    const next = await room.asked();
    next.speak('Here I am.', 20);
    next.end();
    await room.begun(1);
    await room.silence(1000);
    await room.turns(2);
    expect(room.captions).toEqual(['Here I am.']);
    expect(room.said).toEqual(['Alice: Something.', 'Alice: Something.']);
  });

  it('keeps what was spoken of a reply that broke off, and says so', async () => {
    await using room = new SteppedRoom();
    await room.speak(ALICE, 400);
    await room.silence(FIXED_RULE.silenceMs);
    const answer = await room.asked();
    answer.speak('The first half of it', 50);
    answer.fail(new ModelBusyError({ operatorHint: 'wait' }));
    await room.begun(1);
    await room.silence(2000);
    const [turn] = await room.turns(1);
    expect(room.captions[0]).toMatch(/^The first half.*…$/);
    expect(room.notices).toHaveLength(1);
    expect(turn?.state).toBe('failed');
    expect(turn?.reply?.audio).toBeUndefined();
  });
});
