/**
 * The usual recipe for a talking Discord bot, for comparison: the stock voice library, one second of silence ends a turn,
 * ffmpeg makes a WAV of it, the whole reply is awaited, and ffmpeg plays it. Written as its tutorials do it, with nothing
 * slowed down on purpose.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { createAudioResource, StreamType } from '@discordjs/voice';

import { OpusDecoder } from '../../../src/audio/opus.ts';
import { askFor, runBot } from './bot.ts';

await runBot(async ({ packets, player, openai }) => {
  using decoder = new OpusDecoder();
  const pcm = packets.map((packet) => Buffer.from(decoder.decode(packet).buffer));
  const wav = await ffmpeg(['-f', 's16le', '-ar', '24000', '-ac', '1', '-i', 'pipe:0', '-f', 'wav', 'pipe:1'], pcm);
  const completion = await openai.chat.completions.create({ ...askFor(wav), audio: { voice: 'alloy', format: 'wav' } });
  const reply = Buffer.from(completion.choices[0]?.message.audio?.data ?? '', 'base64');
  const playing = spawn('ffmpeg', ['-v', 'error', '-i', 'pipe:0', '-c:a', 'libopus', '-f', 'opus', 'pipe:1']);
  playing.stdin.end(reply);
  player.play(createAudioResource(playing.stdout, { inputType: StreamType.OggOpus }));
});

async function ffmpeg(args: readonly string[], input: readonly Buffer[]): Promise<Buffer> {
  const child = spawn('ffmpeg', ['-v', 'error', ...args]);
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stdin.end(Buffer.concat(input));
  await once(child, 'close');
  return Buffer.concat(output);
}
