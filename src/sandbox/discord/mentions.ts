import type { Channel, Guild, Member } from './entities.ts';
import { may } from './permissions.ts';

/** Which of the mentions in a text may ping (Discord's "Allowed Mentions"). */
export interface AllowedMentions {
  readonly parse: readonly ('users' | 'roles' | 'everyone')[];
  readonly users: readonly string[];
  readonly roles: readonly string[];
  readonly repliedUser: boolean;
}

export interface Mentions {
  readonly users: readonly string[];
  readonly roles: readonly string[];
  readonly everyone: boolean;
  /** Everyone who gets a ping, by user id. */
  readonly pinged: readonly string[];
}

export const NO_MENTIONS: Mentions = { users: [], roles: [], everyone: false, pinged: [] };

/** What is parsed when a message does not say. */
export const PARSE_ALL: AllowedMentions = {
  parse: ['users', 'roles', 'everyone'],
  users: [],
  roles: [],
  repliedUser: true,
};

/** Finds who a text pings. Nothing inside code does. */
export function findMentions(
  place: { readonly guild: Guild; readonly channel: Channel; readonly author: Member },
  content: string,
  allowed: AllowedMentions,
  repliedTo?: string,
): Mentions {
  const { guild, author } = place;
  const text = withoutCode(content);
  const userAllowed = (id: string): boolean => allowed.parse.includes('users') || allowed.users.includes(id);
  const roleAllowed = (id: string): boolean => allowed.parse.includes('roles') || allowed.roles.includes(id);
  const users = new Set(ids(text, /<@!?(\d+)>/g).filter((id) => guild.members.has(id) && userAllowed(id)));
  if (repliedTo !== undefined && allowed.repliedUser) users.add(repliedTo);
  const mayMentionAll = may(guild, place.channel, author, 'MENTION_EVERYONE');
  const roles = mayMentionAll
    ? [...new Set(ids(text, /<@&(\d+)>/g).filter((id) => guild.roles.has(id) && roleAllowed(id)))]
    : [];
  const everyone = mayMentionAll && allowed.parse.includes('everyone') && /@(everyone|here)\b/.test(text);
  const members = [...guild.members.values()];
  const byRole = members.filter((member) => member.roles.some((role) => roles.includes(role)));
  const pinged = new Set([...users, ...(everyone ? members : byRole).map(({ user }) => user.id)]);
  pinged.delete(author.user.id);
  return { users: [...users], roles, everyone, pinged: [...pinged] };
}

function withoutCode(content: string): string {
  return content.replaceAll(/```[\s\S]*?```/g, ' ').replaceAll(/(`+)[^`]+?\1/g, ' ');
}

function ids(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map((match) => match[1] ?? '');
}
