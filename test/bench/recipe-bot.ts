/**
 * The usual recipe for a talking Discord bot, for comparison: the stock voice library, one second of silence ends a turn,
 * ffmpeg makes a WAV of it, the whole reply is awaited, and ffmpeg plays it. Written as its tutorials do it, with nothing
 * slowed down on purpose. Joins the channel it is told and answers whoever speaks there.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { env } from 'node:process';

import {
  createAudioPlayer,
  createAudioResource,
  EndBehaviorType,
  joinVoiceChannel,
  NoSubscriberBehavior,
  StreamType,
} from '@discordjs/voice';
import { Client, Events, GatewayIntentBits } from 'discord.js';
import OpenAI from 'openai';

import { OpusDecoder } from '../../src/audio/opus.ts';
import { RECIPE_SILENCE_MS } from './recipe-silence.ts';

const client = new Client({
  intents: [GatewayIntentBits.Guilds, GatewayIntentBits.GuildVoiceStates],
  rest: { api: env['DISCORD_API_URL'] ?? '' },
});
const openai = new OpenAI({ baseURL: env['OPENAI_BASE_URL'] ?? '', apiKey: env['OPENAI_API_KEY'] ?? '' });
const player = createAudioPlayer({ behaviors: { noSubscriber: NoSubscriberBehavior.Play } });

client.once(Events.ClientReady, () => {
  const guild = client.guilds.cache.first();
  if (!guild) return;
  const connection = joinVoiceChannel({
    channelId: env['VOICE_CHANNEL_ID'] ?? '',
    guildId: guild.id,
    adapterCreator: guild.voiceAdapterCreator,
    selfDeaf: false,
  });
  connection.subscribe(player);
  connection.receiver.speaking.on('start', (userId) => {
    if (connection.receiver.subscriptions.has(userId)) return;
    const packets = connection.receiver.subscribe(userId, {
      end: { behavior: EndBehaviorType.AfterSilence, duration: RECIPE_SILENCE_MS },
    });
    const decoder = new OpusDecoder();
    const pcm: Buffer[] = [];
    packets.on('data', (packet: Buffer) => pcm.push(Buffer.from(decoder.decode(packet).buffer)));
    packets.once('end', () => void answer(Buffer.concat(pcm)));
  });
});

async function answer(pcm: Buffer): Promise<void> {
  const wav = await ffmpeg(['-f', 's16le', '-ar', '24000', '-ac', '1', '-i', 'pipe:0', '-f', 'wav', 'pipe:1'], pcm);
  const completion = await openai.chat.completions.create({
    model: env['OPENAI_MODEL'] ?? '',
    modalities: ['text', 'audio'],
    audio: { voice: 'alloy', format: 'wav' },
    messages: [
      {
        role: 'user',
        content: [{ type: 'input_audio', input_audio: { data: wav.toString('base64'), format: 'wav' } }],
      },
    ],
  });
  const reply = Buffer.from(completion.choices[0]?.message.audio?.data ?? '', 'base64');
  const playing = spawn('ffmpeg', ['-v', 'error', '-i', 'pipe:0', '-c:a', 'libopus', '-f', 'opus', 'pipe:1']);
  playing.stdin.end(reply);
  player.play(createAudioResource(playing.stdout, { inputType: StreamType.OggOpus }));
}

async function ffmpeg(args: readonly string[], input: Buffer): Promise<Buffer> {
  const child = spawn('ffmpeg', ['-v', 'error', ...args]);
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stdin.end(input);
  await once(child, 'close');
  return Buffer.concat(output);
}

await client.login(env['DISCORD_TOKEN']);
