import type { JsonObject } from '../entities.ts';
import { userPayload } from '../payloads.ts';
import type { World } from '../world.ts';
import { LIMITS, type Route } from './route.ts';

/** Identifies left today: generous, and far from what would make a bot stop. */
const SESSION_STARTS = 1000;

const DAY_MS = 24 * 60 * 60 * 1000;

/** Flags that say which privileged intents a bot in fewer than a hundred guilds has switched on. */
const INTENT_FLAGS = [
  { intent: 1 << 8, flag: 1 << 13 },
  { intent: 1 << 1, flag: 1 << 15 },
  { intent: 1 << 15, flag: 1 << 19 },
] as const;

/** The application's flags ("Application Flags"). */
export function applicationFlags(world: World): number {
  return INTENT_FLAGS.reduce((flags, { intent, flag }) => (world.privilegedIntents & intent ? flags | flag : flags), 0);
}

/** Who the bot is and where its gateway is. `gatewayUrl` is asked when needed: the port is known only then. */
export function applicationRoutes(world: World, gatewayUrl: () => string): Route[] {
  const common = { limit: LIMITS.other, method: 'GET' } as const;
  const application = (): JsonObject => ({
    id: world.bot.id,
    name: world.bot.name,
    icon: null,
    description: '',
    summary: '',
    bot_public: true,
    bot_require_code_grant: false,
    verify_key: '0'.repeat(64),
    flags: applicationFlags(world),
    owner: userPayload(world.bot),
    team: null,
    bot: userPayload(world.bot),
    approximate_guild_count: world.guilds.size,
    integration_types_config: { '0': {} },
  });
  return [
    {
      ...common,
      path: '/gateway/bot',
      handle: () => ({
        status: 200,
        json: {
          url: gatewayUrl(),
          shards: 1,
          session_start_limit: {
            total: SESSION_STARTS,
            remaining: SESSION_STARTS - 1,
            reset_after: DAY_MS,
            max_concurrency: 1,
          },
        },
      }),
    },
    { ...common, path: '/gateway', handle: () => ({ status: 200, json: { url: gatewayUrl() } }) },
    {
      ...common,
      path: '/users/@me',
      handle: () => ({
        status: 200,
        json: { ...userPayload(world.bot), verified: true, mfa_enabled: false, locale: 'en-US', email: null, flags: 0 },
      }),
    },
    {
      ...common,
      path: '/users/@me/guilds',
      handle: () => ({
        status: 200,
        json: [...world.guilds.values()].map(({ id, name, ownerId }) => ({
          id,
          name,
          icon: null,
          owner: ownerId === world.bot.id,
          permissions: '0',
          features: [],
        })),
      }),
    },
    { ...common, path: '/applications/@me', handle: () => ({ status: 200, json: application() }) },
    { ...common, path: '/oauth2/applications/@me', handle: () => ({ status: 200, json: application() }) },
  ];
}
