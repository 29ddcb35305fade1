import { benchBotKills } from './bot-kills.ts';
import { benchChapters } from './files/chapters.ts';
import { benchFormats } from './files/formats.ts';
import { benchHour } from './files/hour.ts';
import { benchMutants } from './files/mutants.ts';
import { benchHistory } from './history.ts';
import { benchKills } from './kills.ts';
import type { BenchPart } from './part.ts';
import { benchStore } from './store.ts';
import { benchTurns } from './turns.ts';
import { benchTwoProcesses } from './two-processes.ts';
import { benchVoice, voiceHighlights } from './voice.ts';

/** What `npm run bench -- NAME` can measure, in the order of the report. */
export const PARTS: Readonly<Record<string, BenchPart>> = {
  voice: { title: 'Voice', run: benchVoice, highlights: voiceHighlights },
  turns: { title: 'End of turn', run: benchTurns },
  store: { title: 'Store', run: benchStore },
  history: { title: 'Requests as a conversation grows', run: benchHistory },
  kills: { title: 'Processes killed while they hold turns', run: benchKills },
  'bot-kills': { title: 'Bots killed while people talk with them', run: benchBotKills },
  formats: { title: 'Sound files of every kind', run: benchFormats },
  mutants: { title: 'Damaged sound files', run: benchMutants },
  chapters: { title: 'Chapters read aloud', run: benchChapters },
  hour: { title: 'An hour written down', run: benchHour },
  'two-processes': { title: 'Two bots on one database', run: benchTwoProcesses },
};
