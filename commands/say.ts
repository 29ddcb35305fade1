import { ApplicationCommandOptionType } from 'discord.js';

import { IN_SERVERS, type SlashCommand } from '../src/discord/command.ts';
import { answer } from '../src/discord/interactions.ts';
import type { VoiceCall } from '../src/discord/voice-call.ts';
import { sendVoiceAnswer } from '../src/discord/voice-message.ts';
import { english } from '../src/language/english.ts';
import { UserError } from '../src/language/user-error.ts';
import { isSpeakable } from '../src/narration/passages.ts';
import { Recital } from '../src/narration/recital.ts';
import { VOICES } from '../src/narration/voices.ts';

const words = english.commands.say;

/** About two minutes of speech, and what fits one message; `/narrate` takes more. */
const MAX_TEXT_LENGTH = 2000;

export const say: SlashCommand = {
  kind: 'slash',
  data: {
    name: words.name,
    description: words.description,
    ...IN_SERVERS,
    options: [
      {
        type: ApplicationCommandOptionType.String,
        name: words.options.text.name,
        description: words.options.text.description,
        required: true,
      },
      {
        type: ApplicationCommandOptionType.String,
        name: words.options.voice.name,
        description: words.options.voice.description,
        required: false,
        choices: VOICES.map((value) => ({ name: value, value })),
      },
    ],
  },
  ephemeral: false,
  async execute(interaction, { calls, reader, signal, words: theirWords }) {
    const text = interaction.options.getString(words.options.text.name, true).trim();
    if (!isSpeakable(text)) throw new UserError({ type: 'plain', id: 'nothing-to-read' });
    if (text.length > MAX_TEXT_LENGTH) throw new UserError({ type: 'plain', id: 'too-long-to-say' });
    const voice = interaction.options.getString(words.options.voice.name) ?? undefined;
    using recital = new Recital(reader, text, { voice }, signal);
    await recital.begun();
    await answer(interaction, text);
    const call = calls.callFor(interaction.guildId, interaction.channelId, interaction.user.id);
    if (call) {
      const reached = await playWhole(call, recital, signal);
      if (reached !== 'whole') await interaction.followUp({ content: theirWords.say[reached] });
    } else {
      await sendVoiceAnswer(interaction, await recital.samples());
    }
    const [drift] = recital.drifts;
    if (drift) await interaction.followUp({ content: theirWords.say.strayed(drift.text, drift.said) });
  },
};

/** Plays it in the call. An answer that comes between is heard first; somebody who speaks ends it. */
async function playWhole(
  call: VoiceCall,
  recital: Recital,
  signal: AbortSignal,
): Promise<'whole' | 'spoken-over' | 'gone'> {
  for (let frame = 0; ;) {
    const { reached, playedFrames } = await call.play(recital.framesFrom(frame), 'said', signal);
    if (reached !== 'gave-way') return reached;
    frame += playedFrames;
  }
}
