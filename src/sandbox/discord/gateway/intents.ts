/** Gateway intents this sandbox has events for, by the names of Discord's documentation. */
export const INTENTS = {
  GUILDS: 1 << 0,
  GUILD_MEMBERS: 1 << 1,
  GUILD_VOICE_STATES: 1 << 7,
  GUILD_PRESENCES: 1 << 8,
  GUILD_MESSAGES: 1 << 9,
  GUILD_MESSAGE_TYPING: 1 << 11,
  MESSAGE_CONTENT: 1 << 15,
} as const;

/** Bits that Discord knows: 0 to 16, 20, 21, 24 and 25. Any other is close code 4013. */
const KNOWN = 0x1_ffff | (1 << 20) | (1 << 21) | (1 << 24) | (1 << 25);

/** Intents that have to be switched on for the application; otherwise close code 4014. */
const PRIVILEGED = INTENTS.GUILD_MEMBERS | INTENTS.GUILD_PRESENCES | INTENTS.MESSAGE_CONTENT;

/** Events by the intent they belong to ("List of Intents"). What is not listed is always sent. */
const INTENT_OF_EVENT: ReadonlyMap<string, number> = new Map(
  (
    [
      [INTENTS.GUILDS, 'GUILD_CREATE GUILD_UPDATE GUILD_DELETE GUILD_ROLE_CREATE GUILD_ROLE_UPDATE GUILD_ROLE_DELETE'],
      [INTENTS.GUILDS, 'CHANNEL_CREATE CHANNEL_UPDATE CHANNEL_DELETE CHANNEL_PINS_UPDATE'],
      [INTENTS.GUILDS, 'THREAD_CREATE THREAD_UPDATE THREAD_DELETE THREAD_LIST_SYNC THREAD_MEMBER_UPDATE'],
      [INTENTS.GUILDS, 'STAGE_INSTANCE_CREATE STAGE_INSTANCE_UPDATE STAGE_INSTANCE_DELETE'],
      [INTENTS.GUILD_MEMBERS, 'GUILD_MEMBER_ADD GUILD_MEMBER_UPDATE GUILD_MEMBER_REMOVE'],
      [INTENTS.GUILD_VOICE_STATES, 'VOICE_STATE_UPDATE VOICE_CHANNEL_EFFECT_SEND'],
      [INTENTS.GUILD_MESSAGES, 'MESSAGE_CREATE MESSAGE_UPDATE MESSAGE_DELETE MESSAGE_DELETE_BULK'],
      [INTENTS.GUILD_MESSAGE_TYPING, 'TYPING_START'],
    ] as const
  ).flatMap(([intent, events]) => events.split(' ').map((event): [string, number] => [event, intent])),
);

/** Whether a bot with these intents is told of the event. */
export function wants(intents: number, event: string): boolean {
  const needed = INTENT_OF_EVENT.get(event);
  return needed === undefined || (intents & needed) !== 0;
}

/** The close code Discord answers these intents with, or nothing. */
export function intentsRefusal(intents: unknown, switchedOn: number): 4013 | 4014 | undefined {
  if (typeof intents !== 'number' || !Number.isInteger(intents) || intents < 0 || (intents & ~KNOWN) !== 0) return 4013;
  return (intents & PRIVILEGED & ~switchedOn) === 0 ? undefined : 4014;
}
