/**
 * Good practice on the stock voice library, for comparison: its receiver with `AfterSilence`, no ffmpeg, the reply streamed
 * from the model through a codec in the process to its `AudioPlayer` as it comes. Nothing is slowed down on purpose.
 */
import { PassThrough } from 'node:stream';

import { createAudioResource, StreamType } from '@discordjs/voice';
import { z } from 'zod';

import { Framer } from '../../../src/audio/framer.ts';
import { OpusDecoder, OpusEncoder } from '../../../src/audio/opus.ts';
import { concatSamples } from '../../../src/audio/pcm.ts';
import { encodeWav } from '../../../src/audio/wav.ts';
import { askFor, runBot } from './bot.ts';

const soundSchema = z.object({ audio: z.object({ data: z.base64() }) });

await runBot(async ({ packets, player, openai }) => {
  using decoder = new OpusDecoder();
  const samples = concatSamples(packets.map((packet) => decoder.decode(packet)));
  const wav = Buffer.from(encodeWav(samples));
  const events = await openai.chat.completions.create({
    ...askFor(wav),
    audio: { voice: 'alloy', format: 'pcm16' },
    stream: true,
  });
  using encoder = new OpusEncoder('live');
  const coded = (frame: Int16Array): Buffer => Buffer.from(encoder.encode(frame));
  const framer = new Framer();
  const opus = new PassThrough({ objectMode: true });
  let playing = false;
  for await (const event of events) {
    const sound = soundSchema.safeParse(event.choices[0]?.delta).data?.audio.data;
    if (sound === undefined) continue;
    const pcm = Buffer.from(sound, 'base64');
    for (const frame of framer.push(new Int16Array(Uint8Array.from(pcm).buffer))) opus.write(coded(frame));
    if (playing) continue;
    playing = true;
    player.play(createAudioResource(opus, { inputType: StreamType.Opus }));
  }
  const last = framer.flush();
  if (last) opus.write(coded(last));
  opus.end();
});
