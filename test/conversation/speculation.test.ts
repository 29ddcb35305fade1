import { describe, expect, it } from 'vitest';

import { FRAME_MS } from '../../src/audio/frame.ts';
import { FIXED_RULE } from '../../src/conversation/turn-detector.ts';
import { ALICE, BOB, SteppedRoom } from './support/stepped-room.ts';

/** The pause at which an answer is asked for. */
const PAUSE_MS = 120;

describe('an answer asked for at the first pause', () => {
  it('is heard when the turn is over, with nothing asked again', async () => {
    await using room = new SteppedRoom({ speculates: true });
    await room.speak(ALICE, 400);
    await room.silence(PAUSE_MS);
    const answer = await room.asked();
    answer.speak('Hello.', 30);
    answer.end();
    await room.silence(FIXED_RULE.silenceMs - PAUSE_MS - 2 * FRAME_MS);
    expect(room.played).toEqual([]);
    expect([...room.captions, ...room.said]).toEqual([]);
    await room.silence(2 * FRAME_MS);
    await room.until(() => room.played.length > 0);
    await room.silence(1000);
    const [turn] = await room.turns(1);
    expect(turn).toMatchObject({ state: 'done', reply: { text: 'Hello.' } });
    expect(room.played.map(({ number }) => number)).toEqual(Array.from({ length: 30 }, (_, index) => index));
    expect(room.captions).toEqual(['Hello.']);
    expect(room.said).toEqual(['Alice: Something.']);
    expect(room.requestsWaiting).toBe(0);
    expect(room.timings).toMatchObject([{ speculation: 'hit', dropped: 0, heard: 'whole' }]);
  });

  it('costs a closed connection and leaves no trace when the speaker goes on', async () => {
    await using room = new SteppedRoom({ speculates: true });
    await room.speak(ALICE, 400, 'Tell me');
    await room.silence(PAUSE_MS);
    const early = await room.asked();
    early.speak('Tell you what?', 100);
    await room.silence(100);
    await room.speak(ALICE, 400, 'a story.');
    expect(early.signal.aborted).toBe(true);
    await room.silence(PAUSE_MS);
    const whole = await room.asked();
    whole.speak('Once upon a time.', 20);
    whole.end();
    expect(whole.words).toEqual(['Alice:']);
    await room.silence(FIXED_RULE.silenceMs);
    await room.begun(1);
    await room.silence(1000);
    const turns = await room.turns(1);
    expect(turns).toHaveLength(1);
    expect(room.captions).toEqual(['Once upon a time.']);
    expect(room.said).toEqual(['Alice: Tell me a story.']);
    expect(room.timings).toMatchObject([{ speculation: 'hit', dropped: 1 }]);
    expect(room.played).toHaveLength(20);
  });

  it('is dropped when somebody else begins', async () => {
    await using room = new SteppedRoom({ speculates: true });
    await room.speak(ALICE, 400);
    await room.silence(PAUSE_MS);
    const early = await room.asked();
    await room.speak(BOB, 400);
    expect(early.signal.aborted).toBe(true);
    await room.silence(FIXED_RULE.silenceMs);
    expect((await room.asked()).labels).toEqual(['Alice at 0.0 s:', 'Bob at 0.5 s:']);
  });

  it('is asked for three times a turn at most', async () => {
    await using room = new SteppedRoom({ speculates: true });
    for (let early = 0; early < 3; early++) {
      await room.speak(ALICE, 300);
      await room.silence(PAUSE_MS);
      const { signal } = await room.asked();
      await room.speak(ALICE, 300);
      expect(signal.aborted).toBe(true);
    }
    await room.silence(FIXED_RULE.silenceMs - 2 * FRAME_MS);
    expect(room.requestsWaiting).toBe(0);
    await room.silence(2 * FRAME_MS);
    expect((await room.asked()).signal.aborted).toBe(false);
  });

  it('is not asked for after ten seconds of speech', async () => {
    await using room = new SteppedRoom({ speculates: true });
    await room.speak(ALICE, 10_200);
    await room.silence(FIXED_RULE.silenceMs - 2 * FRAME_MS);
    expect(room.requestsWaiting).toBe(0);
    await room.silence(2 * FRAME_MS);
    expect((await room.asked()).labels).toEqual(['Alice:']);
  });

  it('is not given to somebody who withdraws meanwhile', async () => {
    await using room = new SteppedRoom({ speculates: true });
    await room.speak(ALICE, 400);
    await room.silence(PAUSE_MS);
    const answer = await room.asked();
    answer.speak('Hello Alice.', 30);
    await room.withdrawn(ALICE);
    expect(answer.signal.aborted).toBe(true);
    await room.silence(FIXED_RULE.silenceMs + 500);
    expect(room.played).toEqual([]);
    // Answers of the store that come after what a second answer would be kept with.
    for (let answers = 0; answers < 10; answers++) {
      expect((await room.store.conversations.describe('room')).turns).toBe(0);
    }
    expect(room.requestsWaiting).toBe(0);
  });
});
