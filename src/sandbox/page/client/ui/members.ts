import { h, type JSX } from 'preact';
import { isInCall, nameOf } from '../state.ts';
import { useParts } from './context.ts';
import { icon } from './icons.ts';

/** Who is in the voice channel, and who speaks. */
export function Members(): JSX.Element {
  const { state, strings } = useParts();
  const members = state.guild.voiceStates.filter(({ channelId }) => channelId === state.voiceChannel.id);
  if (members.length === 0) return h('p', { class: 'quiet' }, strings.room.nobody);
  return h(
    'ul',
    { class: 'members' },
    members.map(({ userId, selfMute }) => h(Member, { key: userId, userId, muted: selfMute })),
  );
}

function Member({ userId, muted }: { userId: string; muted: boolean }): JSX.Element {
  const { state, strings } = useParts();
  const speaking = state.speaking.has(userId);
  return h(
    'li',
    { class: `member${speaking ? ' speaking' : ''}` },
    h(Who, { userId }),
    h(
      'span',
      { class: 'quiet' },
      speaking
        ? h('span', { class: 'hidden' }, strings.room.speaking(nameOf(state, userId)))
        : muted
          ? strings.room.muted
          : strings.room.silent,
    ),
  );
}

/** Who else there is on the server. */
export function Others(): JSX.Element | null {
  const { state, strings } = useParts();
  const { bot } = state.world;
  const people = [bot.id, ...state.guild.people.filter((one) => !one.bot).map(({ id }) => id)];
  const others = people.filter((userId) => !isInCall(state, userId));
  if (others.length === 0) return null;
  return h(
    'section',
    { class: 'others', 'aria-labelledby': 'others-title' },
    h('h3', { id: 'others-title' }, strings.room.server),
    h(
      'ul',
      { class: 'members' },
      others.map((userId) =>
        h(
          'li',
          { key: userId, class: 'member' },
          h(Who, { userId }),
          userId === bot.id && h('span', { class: 'quiet' }, bot.online ? strings.room.online : strings.room.offline),
        ),
      ),
    ),
  );
}

function Who({ userId }: { userId: string }): JSX.Element {
  const { state, strings } = useParts();
  const name = nameOf(state, userId);
  const bot = userId === state.world.bot.id;
  return h(
    'span',
    { class: 'who' },
    h(
      'span',
      { class: `avatar tint-${tintOf(userId)}`, 'aria-hidden': 'true' },
      bot ? icon('headphones') : name.slice(0, 1),
    ),
    name,
    bot && h('span', { class: 'badge' }, strings.bot),
  );
}

/** The color of somebody's picture. */
export function tintOf(userId: string): number {
  return Number(BigInt(userId) % 5n);
}
