// What becomes of sound files: `node test/bench/files.ts [formats] [mutants] [hour]`. The first two make their files with
// the `ffmpeg` of this machine.
import { compareFormats } from './files/formats.ts';

const wanted = process.argv.slice(2);
const all = wanted.length === 0;
if (all || wanted.includes('formats')) await compareFormats();
