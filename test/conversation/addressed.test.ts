import { describe, expect, it } from 'vitest';

import { isAddressed, meaningOver } from '../../src/conversation/addressed.ts';
import { wordsFor } from '../../src/language/words.ts';

const NAMES = ['Parley'];

describe('isAddressed', () => {
  it.each([
    'Parley, what is the time?',
    'What do you think, PARLEY?',
    'So I asked Parley about it yesterday, and it said no.',
    "That was Parley's idea.",
    'Parlay, are you there?',
    'Hey Parlé, play something.',
    'What about you, Parly?',
    'par ley what did Bob say',
    'Párley!',
    'parlye please',
  ])('hears the name in %j', (words) => {
    expect(isAddressed(words, NAMES)).toBe(true);
  });

  it.each([
    '',
    'What is the time?',
    'The party is on Friday.',
    'They sell wheat and rye and a sack of barley costs more than last year.',
    'A parleyvoo is no word.',
  ])('does not hear it in %j', (words) => {
    expect(isAddressed(words, NAMES)).toBe(false);
  });

  it('takes a short name only as it is written', () => {
    expect(isAddressed('Bob, are you there?', ['Bob'])).toBe(true);
    expect(isAddressed('Rob, are you there?', ['Bob'])).toBe(false);
    expect(isAddressed('A bobcat, are you sure?', ['Bob'])).toBe(false);
  });

  it('knows names of several words, in signs and in other scripts, and any of a list', () => {
    expect(isAddressed('hey robot friend, hello', ['🤖 Robot Friend ✨'])).toBe(true);
    expect(isAddressed('hey robotfriend', ['Robot Friend'])).toBe(true);
    expect(isAddressed('a robot, my friend', ['Robot Friend'])).toBe(false);
    expect(isAddressed('привет, Парли', ['Parley', 'Парли'])).toBe(true);
    expect(isAddressed('パーリーさん、こんにちは', ['パーリー'])).toBe(true);
    expect(isAddressed('anything', ['✨', ''])).toBe(false);
  });
});

describe('meaningOver', () => {
  const { overReply } = wordsFor('en');

  it.each([
    '',
    '…',
    'Mm-hm.',
    'mmmm',
    'Uh-huh!',
    'Yeah, yeah.',
    'Right.',
    'Okay, sure.',
    'Haha!',
    'hahaha yeah',
    '(laughs)',
    'Oh wow.',
    'I see.',
    '[coughing]',
  ])('takes %j for listening', (words) => {
    expect(meaningOver(words, NAMES, overReply)).toBe('backchannel');
  });

  it.each([
    'Stop.',
    'Stop, stop!',
    'Okay, stop.',
    'Parley, be quiet please.',
    "That's enough, thanks.",
    'Wait!',
    'Shut up.',
    'hold on',
  ])('takes %j for a wish for quiet', (words) => {
    expect(meaningOver(words, NAMES, overReply)).toBe('stop');
  });

  it.each([
    "I can't stop laughing.",
    'Wait, what about the second train?',
    'No, the other one.',
    'Right, but why?',
    'Parley',
    'What?',
    'Okay, and tomorrow?',
  ])('takes %j for something to say', (words) => {
    expect(meaningOver(words, NAMES, overReply)).toBe('speech');
  });
});
