// What becomes of sound files: `node test/bench/files.ts [formats] [mutants [count]] [hour]`. Needs `ffmpeg` to make them.
import { compareFormats } from './files/formats.ts';
import { transcribeHour } from './files/hour.ts';
import { surviveMutants } from './files/mutants.ts';

const MUTANTS = 2000;

const wanted = process.argv.slice(2);
const wants = (part: string): boolean => wanted.length === 0 || wanted.includes(part);

if (wants('formats')) await compareFormats();
if (wants('mutants')) await surviveMutants(Number(wanted.find((word) => /^\d+$/.test(word)) ?? MUTANTS));
if (wants('hour')) await transcribeHour();
