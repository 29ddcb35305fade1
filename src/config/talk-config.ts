import type { Env } from './env.ts';
import type { Findings } from './problems.ts';

/** How Parley talks in a channel for which nobody has chosen otherwise. */
export interface TalkConfig {
  readonly voice: string;
  /** Every voice that may be chosen: what the deployment accepts. `voice` is one of them. */
  readonly voices: readonly string[];
  readonly answers: (typeof ANSWERS)[number];
  /** What Parley is called in speech. `undefined`: the name it has in Discord. */
  readonly names: readonly string[] | undefined;
  /** Answers are asked for before it is certain that a turn is over. */
  readonly speculates: boolean;
  /** Silence that ends a turn; `undefined`: as each speaker's habits have it. */
  readonly turnSilenceMs: number | undefined;
}

/** The voices that the API documents for audio models; a deployment of an older model may accept fewer. */
const DOCUMENTED_VOICES = [
  'alloy',
  'ash',
  'ballad',
  'coral',
  'echo',
  'sage',
  'shimmer',
  'verse',
  'marin',
  'cedar',
] as const;

const ANSWERS = ['always', 'name', 'button', 'off'] as const;

/** Discord's menus have at most 25 options of 100 characters, with a word of ours beside the name. */
const MAX_VOICES = 25;
const MAX_VOICE_LENGTH = 64;

/** Each turn in a call with several people is searched for every name. */
const MAX_NAMES = 20;

/** The range of the frameworks for voice agents, and room to be more patient. */
const TURN_SILENCE = { from: 200, to: 5000 };

/** Reads `VOICE`, `VOICES`, `ANSWERS`, `BOT_NAMES`, `SPECULATION` and `TURN_SILENCE_MS`. */
export function readTalk(env: Env, findings: Findings): TalkConfig {
  const voices = readVoices(env.VOICES, findings);
  return {
    voice: readVoice(env.VOICE, voices, findings),
    voices,
    answers: readAnswers(env.ANSWERS, findings),
    names: readNames(env.BOT_NAMES, findings),
    speculates: readSpeculation(env.SPECULATION, findings),
    turnSilenceMs: readTurnSilence(env.TURN_SILENCE_MS, findings),
  };
}

function readSpeculation(value: string | undefined, findings: Findings): boolean {
  const choice = value?.toLowerCase() ?? 'on';
  if (choice !== 'on' && choice !== 'off') findings.problem('SPECULATION', 'is not on or off');
  return choice !== 'off';
}

function readTurnSilence(value: string | undefined, findings: Findings): number | undefined {
  if (!value) return undefined;
  const { from, to } = TURN_SILENCE;
  if (/^\d+$/.test(value) && Number(value) >= from && Number(value) <= to) return Number(value);
  findings.problem('TURN_SILENCE_MS', `is not a whole number from ${from} to ${to}`);
  return undefined;
}

function readVoices(value: string | undefined, findings: Findings): readonly string[] {
  if (!value) return DOCUMENTED_VOICES;
  const voices = listOf(value);
  if (voices.length === 0 || voices.length > MAX_VOICES || voices.some((name) => name.length > MAX_VOICE_LENGTH)) {
    findings.problem('VOICES', `is not a list of 1 to ${MAX_VOICES} names of voices, separated by commas`);
  }
  return voices;
}

/** An old model's voices are all among those of the new ones, `alloy` with them. */
function readVoice(value: string | undefined, voices: readonly string[], findings: Findings): string {
  const [first = ''] = voices;
  if (!value) return voices.includes('alloy') ? 'alloy' : first;
  if (!voices.includes(value)) findings.problem('VOICE', `is not one of ${voices.join(', ')}: see VOICES`);
  return value;
}

function readAnswers(value: string | undefined, findings: Findings): TalkConfig['answers'] {
  if (!value) return 'name';
  const mode = ANSWERS.find((name) => name === value.toLowerCase());
  if (!mode) findings.problem('ANSWERS', `is not one of ${ANSWERS.join(', ')}`);
  return mode ?? 'name';
}

function readNames(value: string | undefined, findings: Findings): readonly string[] | undefined {
  if (!value) return undefined;
  const names = listOf(value);
  if (names.length === 0 || names.length > MAX_NAMES || !names.every((name) => /[\p{L}\p{N}]/u.test(name))) {
    findings.problem('BOT_NAMES', `is not a list of 1 to ${MAX_NAMES} names, separated by commas`);
  }
  return names;
}

function listOf(value: string): readonly string[] {
  const items = value.split(',').map((item) => item.trim());
  return [...new Set(items.filter((item) => item !== ''))];
}
