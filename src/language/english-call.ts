import type { Words } from './words.ts';

const PHASES = { listening: 'Listening', thinking: 'Thinking …', speaking: 'Speaking', paused: 'Paused' } as const;

const ANSWERS = {
  always: 'everyone',
  name: 'whoever is alone with me, says my name or presses **Answer me**',
  button: 'whoever is alone with me or presses **Answer me**',
  off: 'nobody, and I remember nothing',
} as const;

const MODE_OPTIONS = {
  always: 'I answer everyone',
  name: 'I answer whoever says my name',
  button: 'I answer whoever presses the button',
  off: 'I answer nobody',
} as const;

const STAGES = {
  endOfTurnMs: 'your turn has ended',
  askedMs: 'the model is asked',
  firstByteMs: 'its answer begins',
  firstAudioMs: 'its first sound',
  firstPacketMs: 'you hear me',
  playedMs: 'how long I speak',
} as const;

const LABEL_WIDTH = 22;

/** What is said of a call while it runs, and of how Parley talks. */
export const englishCall: Pick<Words, 'panel' | 'voice' | 'answers' | 'stats'> = {
  panel: {
    status: ({ phase, heard, unheard, voice, answers }) =>
      [
        `**${PHASES[phase]}**`,
        heard.length > 0
          ? `I hear ${listOf(heard)}${unheard.length > 0 ? `, not ${listOf(unheard)}` : ''}.`
          : 'I hear nobody.',
        `My voice is **${voice}**, and I answer ${answers}.`,
      ].join('\n'),
    buttons: { answerMe: 'Answer me', stop: 'Stop', muteMe: 'Do not hear me', forget: 'Forget this', leave: 'Leave' },
    more: (count) => `${count} more`,
    answering: 'I will answer what you say next.',
    ended: (voiceChannel) =>
      `I was listening in ${voiceChannel}. That call has ended; \`/join\` calls me again. In the chat of ${voiceChannel}, \`/memory\` shows what I remember of it and \`/forget\` deletes it.`,
  },
  voice: {
    changed: (name) => `My voice here is now **${name}**.`,
    present: (name, all) => `My voice here is **${name}**. You can choose from ${listOf(all)}: \`/voice name:\`.`,
    option: (name) => `Voice: ${name}`,
  },
  answers: {
    modes: ANSWERS,
    changed: (mode) => `From now on I answer ${ANSWERS[mode]}.`,
    present: (mode) => `Here I answer ${ANSWERS[mode]}. \`/answers whom:\` changes it.`,
    option: (mode) => MODE_OPTIONS[mode],
  },
  stats: {
    nothing: 'Since I was started I have answered nobody aloud in this channel.',
    text: ({ turns, stages, speculation, dropped, heard }, maxTurns) =>
      [
        `The last ${turns} turn${turns === 1 ? '' : 's'} here, from the end of what was said (at most ${maxTurns}, forgotten when I am restarted):`,
        '```',
        `${'ms'.padEnd(LABEL_WIDTH)}${'half within'.padStart(13)}${'95 % within'.padStart(13)}`,
        ...stages.map(
          ({ stage, p50, p95 }) =>
            `${STAGES[stage].padEnd(LABEL_WIDTH)}${String(Math.round(p50)).padStart(13)}${String(Math.round(p95)).padStart(13)}`,
        ),
        '```',
        speculation.hit + speculation.miss > 0
          ? `I began to think before it was certain that you had ended: right ${speculation.hit}, in vain ${speculation.miss} times; ${dropped} answer${dropped === 1 ? '' : 's'} dropped.`
          : '',
        `Heard whole ${heard.whole}, cut ${heard.part}, not heard ${heard.nothing}.`,
      ]
        .filter((line) => line !== '')
        .join('\n'),
  },
};

const LIST = new Intl.ListFormat('en', { type: 'conjunction' });

export function listOf(items: readonly string[]): string {
  return LIST.format(items);
}
