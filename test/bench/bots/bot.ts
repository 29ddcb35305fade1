/** What the bots for comparison have in common: they join, hear who speaks until a silence, and answer. */
import { env } from 'node:process';

import {
  createAudioPlayer,
  EndBehaviorType,
  joinVoiceChannel,
  NoSubscriberBehavior,
  type AudioPlayer,
} from '@discordjs/voice';
import { Client, Events, GatewayIntentBits, type Guild } from 'discord.js';
import OpenAI from 'openai';

/** What somebody said, and what an answer can be given with. */
export interface Heard {
  readonly packets: readonly Buffer[];
  readonly player: AudioPlayer;
  readonly openai: OpenAI;
}

/** Joins the first voice channel of each server, and lets `answer` answer whoever speaks there. */
export async function runBot(answer: (heard: Heard) => Promise<void>): Promise<void> {
  const openai = new OpenAI({ baseURL: env['OPENAI_BASE_URL'] ?? '', apiKey: env['OPENAI_API_KEY'] ?? '' });
  const client = new Client({
    intents: [GatewayIntentBits.Guilds, GatewayIntentBits.GuildVoiceStates],
    rest: { api: env['DISCORD_API_URL'] ?? '' },
  });
  client.once(Events.ClientReady, () => {
    for (const guild of client.guilds.cache.values()) listen(guild, openai, answer);
  });
  await client.login(env['DISCORD_TOKEN']);
}

/** The question to the model, with what was said as a WAV. */
export function askFor(wav: Buffer) {
  const data = wav.toString('base64');
  return {
    model: env['OPENAI_MODEL'] ?? '',
    modalities: ['text', 'audio'] as ('text' | 'audio')[],
    messages: [
      {
        role: 'user' as const,
        content: [{ type: 'input_audio' as const, input_audio: { data, format: 'wav' as const } }],
      },
    ],
  };
}

function listen(guild: Guild, openai: OpenAI, answer: (heard: Heard) => Promise<void>): void {
  const channel = guild.channels.cache.find((one) => one.isVoiceBased());
  if (!channel) return;
  const connection = joinVoiceChannel({
    channelId: channel.id,
    guildId: guild.id,
    adapterCreator: guild.voiceAdapterCreator,
    selfDeaf: false,
  });
  const player = createAudioPlayer({ behaviors: { noSubscriber: NoSubscriberBehavior.Play } });
  connection.subscribe(player);
  const { receiver } = connection;
  receiver.speaking.on('start', (userId) => {
    if (receiver.subscriptions.has(userId)) return;
    const duration = Number(env['SILENCE_MS']);
    const stream = receiver.subscribe(userId, { end: { behavior: EndBehaviorType.AfterSilence, duration } });
    const packets: Buffer[] = [];
    stream.on('data', (packet: Buffer) => packets.push(packet));
    stream.once('end', () => {
      answer({ packets, player, openai }).catch((error: unknown) => process.stderr.write(`${String(error)}\n`));
    });
  });
}
