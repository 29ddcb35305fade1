import { FIXED_RULE } from '../../../src/conversation/turn-detector.ts';

/** Silence that ends a turn in the voice library's own recorder example. */
export const STOCK_SILENCE_MS = 1000;

/** A bot that is measured. */
export interface Candidate {
  readonly name: string;
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
  /** It waits for `/join`; the others join every voice channel by themselves. */
  readonly takesCommands: boolean;
  /** Silence that it lets pass before a turn counts as ended. Its log may say it of each turn. */
  readonly silenceMs: number;
  /** It asks after this much silence already, and holds the reply until the turn has ended. */
  readonly speculatesAfterMs: number | undefined;
}

/** The silence after which Parley may ask before it is certain. */
export const SPECULATION_MS = 120;

function parley(name: string, speculation: 'on' | 'off'): Candidate {
  return {
    name,
    file: 'src/main.ts',
    env: { SPECULATION: speculation, TRANSCRIBE_MODEL: 'gpt-4o-transcribe' },
    takesCommands: true,
    silenceMs: FIXED_RULE.silenceMs,
    speculatesAfterMs: speculation === 'on' ? SPECULATION_MS : undefined,
  };
}

function other(name: string, file: string, silenceMs: number): Candidate {
  const env = { SILENCE_MS: String(silenceMs) };
  return { name, file, env, takesCommands: false, silenceMs, speculatesAfterMs: undefined };
}

const STOCK = 'stock library, streamed';
const RECIPE = 'usual recipe, ffmpeg';
const STOCK_FILE = 'test/bench/bots/stock.ts';
const RECIPE_FILE = 'test/bench/bots/recipe.ts';

export const CANDIDATES = {
  parley: parley('Parley', 'on'),
  'parley-waiting': parley('Parley without speculation', 'off'),
  stock: other(STOCK, STOCK_FILE, STOCK_SILENCE_MS),
  'stock-same': other(STOCK, STOCK_FILE, FIXED_RULE.silenceMs),
  recipe: other(RECIPE, RECIPE_FILE, STOCK_SILENCE_MS),
  'recipe-same': other(RECIPE, RECIPE_FILE, FIXED_RULE.silenceMs),
} as const satisfies Record<string, Candidate>;

export type CandidateName = keyof typeof CANDIDATES;
