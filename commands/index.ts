import type { Command } from '../src/discord/command.ts';
import { ask } from './ask.ts';
import { forget } from './forget.ts';
import { help } from './help.ts';
import { join } from './join.ts';
import { leave } from './leave.ts';
import { memory } from './memory.ts';
import { privacy } from './privacy.ts';

/** Every command Parley has. A new one is a file in this folder and a line here. */
export const commands: readonly Command[] = [join, leave, ask, memory, forget, privacy, help];
