import { longTime, minutes } from './english-times.ts';
import type { NarrateWords, SayWords } from './narration-words.ts';

export const englishSay: SayWords = {
  'spoken-over': 'Somebody spoke, so I stopped there.',
  gone: 'The call ended before I had said it all.',
  strayed: (text, said) => `I did not get it word for word: ${driftSentence(excerpt(text), excerpt(said))}`,
};

export const englishNarrate: NarrateWords = {
  paces: { slow: 'slow', normal: 'normal', fast: 'fast' },
  question: ({ durationMs, tokens, chapters }) =>
    `That is about **${longTime(durationMs)}** of sound${chapters > 1 ? ` in ${chapters} chapters` : ''}, and about ` +
    `${tokens.toLocaleString('en')} tokens of the language model. Shall I read it?`,
  progress: ({ bar, doneMs, totalMs, leftMs, tokens }) =>
    `${bar} ${minutes(doneMs)} of about ${minutes(totalMs ?? doneMs)} min, about ${tokens.toLocaleString('en')} tokens` +
    (leftMs === undefined ? '' : ` · ${leftMs < 60_000 ? 'less than a minute' : `about ${longTime(leftMs)}`} left`),
  chapter: (number, title) => `Chapter ${number}${title === undefined ? '' : `: ${title}`}`,
  file: ({ chapter, title, part, parts }) =>
    `**${title ?? `Part ${chapter + 1}`}**${parts > 1 ? ` (file ${part + 1} of ${parts})` : ''}`,
  buttons: {
    start: 'Read it',
    cancel: 'Cancel',
    pause: 'Pause',
    'go-on': 'Go on',
    back: 'Back',
    on: 'On',
    stop: 'Stop',
  },
  cancelled: 'This was cancelled.',
  unanswered: 'Nobody told me to begin, so I have not. `/narrate` asks anew.',
  over: 'That reading is over.',
  goesOn: 'I am being restarted, and go on reading in a moment.',
  notGoneOn: 'I was restarted and could not go on reading. Please try `/narrate` again.',
  done: (durationMs) => `That was all: ${minutes(durationMs)} minutes.`,
  cutShort: (atMs) => `What comes after ${minutes(atMs)} is missing.`,
  strayed: (places, text, said) =>
    `In ${places === 1 ? 'one place' : `${places} places`} I did not get it word for word. First: ` +
    driftSentence(excerpt(text), excerpt(said)),
};

function driftSentence(text: string, said: string): string {
  if (said === '') return `I left out “${text}”.`;
  return text === '' ? `I added “${said}”.` : `for “${text}” I said “${said}”.`;
}

function excerpt(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 199)}…`;
}
