import type { Command } from '../src/discord/command.ts';
import { answerAloud } from './answer-aloud.ts';
import { answers } from './answers.ts';
import { ask } from './ask.ts';
import { forget } from './forget.ts';
import { help } from './help.ts';
import { join } from './join.ts';
import { leave } from './leave.ts';
import { memory } from './memory.ts';
import { narrate } from './narrate.ts';
import { privacy } from './privacy.ts';
import { say } from './say.ts';
import { stats } from './stats.ts';
import { transcribeMessage } from './transcribe-message.ts';
import { transcribe } from './transcribe.ts';
import { voice } from './voice.ts';

/** Every command Parley has. A new one is a file in this folder and a line here. */
export const commands: readonly Command[] = [
  join,
  leave,
  voice,
  answers,
  ask,
  say,
  narrate,
  transcribe,
  memory,
  forget,
  privacy,
  stats,
  help,
  transcribeMessage,
  answerAloud,
];
