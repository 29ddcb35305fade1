import type {
  ChannelSnapshot,
  GuildSnapshot,
  InteractionSnapshot,
  MessageSnapshot,
  PersonSnapshot,
  WorldSnapshot,
} from '../../control/protocol.ts';
import type { Language } from './language/languages.ts';
import type { PlayerReport } from './live.ts';
import type { Turn } from './turns.ts';

/** A command as the bot has registered it; the sandbox has checked its form. */
export type Json = Readonly<Record<string, unknown>>;

/** Where the person's own voice stands. */
export type VoiceState =
  | { readonly kind: 'away' }
  | { readonly kind: 'joining' }
  /** In the call. `microphone`: there is one. */
  | { readonly kind: 'joined'; readonly microphone: boolean };

export interface PageState {
  readonly connected: boolean;
  readonly language: Language;
  readonly world: WorldSnapshot;
  readonly guild: GuildSnapshot;
  readonly text: ChannelSnapshot;
  readonly voiceChannel: ChannelSnapshot;
  readonly me: PersonSnapshot;
  readonly messages: readonly MessageSnapshot[];
  /** The person's own interactions that are not answered yet, or never were. */
  readonly pending: readonly InteractionSnapshot[];
  /** An interaction whose modal is open. */
  readonly modal: InteractionSnapshot | undefined;
  readonly speaking: ReadonlySet<string>;
  readonly turns: readonly Turn[];
  readonly voice: VoiceState;
  readonly muted: boolean;
  readonly deafened: boolean;
  readonly pushToTalk: boolean;
  readonly talking: boolean;
  readonly report: PlayerReport | undefined;
  /** What the person is told about something they did. */
  readonly notice: string | undefined;
}

/** Everything a person may be called by, the bot included. */
export function nameOf({ guild, world, me, language }: PageState, userId: string): string {
  if (userId === me.id) return language.strings.you;
  if (userId === world.bot.id || userId === 'bot') return world.bot.name;
  return guild.people.find(({ id }) => id === userId)?.name ?? '?';
}

/** Whether somebody is in the voice channel. */
export function isInCall({ guild, voiceChannel }: PageState, userId: string): boolean {
  return guild.voiceStates.some((one) => one.userId === userId && one.channelId === voiceChannel.id);
}
