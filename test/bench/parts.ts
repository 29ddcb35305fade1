import type { BenchPart } from './part.ts';
import { benchTurns } from './turns.ts';
import { benchVoice, voiceHighlights } from './voice.ts';

/** What `npm run bench -- NAME` can measure, in the order of the report. */
export const PARTS: Readonly<Record<string, BenchPart>> = {
  voice: { title: 'Voice', run: benchVoice, highlights: voiceHighlights },
  turns: { title: 'End of turn', run: benchTurns },
};
