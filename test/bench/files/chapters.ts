import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { z } from 'zod';

import { SAMPLE_RATE_HZ } from '../../../src/audio/frame.ts';
import { openMp3 } from '../../../src/files/mp3-decoder.ts';
import { openOggOpus } from '../../../src/files/ogg-opus.ts';
import type { AttachmentSnapshot } from '../../../src/sandbox/control/protocol.ts';
import { played } from '../../files/played.ts';
import { BotProcess, homeOf } from '../../memory/support/bot-process.ts';
import type { Room } from '../../support/room.ts';
import { startWorld } from '../processes.ts';

const CHAPTERS = new URL('../../narration/fixtures/the-lamplighter.md', import.meta.url);
/** How far the duration that ffprobe reads may be from the sound there is. */
const NEAR_S = 0.1;

const OPENERS = { ogg: openOggOpus, mp3: openMp3 } as const;

const probeSchema = z.object({
  format: z.object({ duration: z.coerce.number(), tags: z.record(z.string(), z.string()).optional() }),
  streams: z.array(z.object({ tags: z.record(z.string(), z.string()).optional() })),
});

/** Chapters that a whole bot has read aloud, as ffprobe sees their files and ffmpeg plays them. */
export async function benchChapters(): Promise<string[]> {
  const lines = [
    '| file | title | duration that ffprobe reads | sound in it | at most 0.1 s apart |',
    '|---|---|---|---|---|',
  ];
  const folder = await mkdtemp(join(tmpdir(), 'parley-chapters-'));
  try {
    await using world = await startWorld();
    await world.client.setModel({ firstAudioMs: 20, speed: 50 });
    await using _ = await BotProcess.start(world, ':memory:');
    const room = await homeOf(world);
    for (const format of ['ogg', 'mp3'] as const) {
      for (const { name, url } of await narrated(room, format)) {
        const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer());
        const file = join(folder, name);
        await writeFile(file, bytes);
        // Ends with a complaint at the first thing that is wrong.
        run('ffmpeg', '-xerror', '-i', file, '-f', 'null', '-');
        const { duration, title } = probed(file);
        const soundS = (await played(OPENERS[format], bytes)).length / SAMPLE_RATE_HZ;
        const right = Math.abs(duration - soundS) <= NEAR_S;
        lines.push(
          `| ${name} | ${title} | ${duration.toFixed(2)} s | ${soundS.toFixed(2)} s | ${right ? 'reached' : 'MISSED'} |`,
        );
      }
    }
    return lines;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The files of one reading, in order. */
async function narrated(room: Room, format: 'ogg' | 'mp3'): Promise<readonly AttachmentSnapshot[]> {
  const file = { name: 'lamplighter.md', data: (await readFile(CHAPTERS)).toString('base64') };
  const { createdAtMs } = await room.run(room.alice, 'narrate', { file, format });
  await room.message(({ content }) => content.startsWith('That was all'), createdAtMs);
  const messages = await room.messages();
  return messages.filter((message) => message.createdAtMs >= createdAtMs).flatMap(({ attachments }) => attachments);
}

function probed(file: string): { duration: number; title: string } {
  const { format, streams } = probeSchema.parse(
    JSON.parse(run('ffprobe', '-of', 'json', '-show_entries', 'format=duration:format_tags:stream_tags', file)),
  );
  // Ogg keeps them with the stream, mp3 with the file.
  const tags = Object.entries({ ...streams[0]?.tags, ...format.tags });
  return { duration: format.duration, title: tags.find(([name]) => name.toLowerCase() === 'title')?.[1] ?? '' };
}

function run(program: 'ffmpeg' | 'ffprobe', ...options: readonly string[]): string {
  return execFileSync(program, ['-v', 'error', ...options], { encoding: 'utf8' });
}
