import {
  Client,
  DefaultRestOptions,
  DiscordjsError,
  DiscordjsErrorCodes,
  Events,
  GatewayIntentBits,
  Options,
  type ClientOptions,
  type SweeperOptions,
} from 'discord.js';

import type { Log } from '../telemetry/log.ts';

/** Time for signing in to Discord and receiving the servers. */
const READY_DEADLINE_MS = 45_000;

const SWEEP_EVERY_SECONDS = 3600;

/** Each message leaves its author at hand, for months. Nobody needs more than us and whoever is in a voice channel. */
const SWEEPERS: SweeperOptions = {
  ...Options.DefaultSweeperSettings,
  guildMembers: {
    interval: SWEEP_EVERY_SECONDS,
    filter:
      () =>
      ({ id, client, guild }) =>
        id !== client.user.id && !guild.voiceStates.cache.get(id)?.channelId,
  },
  users: {
    interval: SWEEP_EVERY_SECONDS,
    filter:
      () =>
      ({ id, client }) =>
        id !== client.user.id && !client.guilds.cache.some(({ members }) => members.cache.has(id)),
  },
};

/** Discord does not accept the token, or not what the token asks for. Trying again cannot help. */
export class DiscordSignInError extends Error {
  override readonly name = 'DiscordSignInError';
}

/** Discord cannot be reached. Trying again later may help. */
export class DiscordUnreachableError extends Error {
  override readonly name = 'DiscordUnreachableError';
}

/**
 * A Discord client with the least Parley needs: no privileged intent, nothing that can ping. Once `closing` aborts, so does
 * every request: the library waits 15 s for an answer, four times over, and nothing else ends that.
 */
export function createClient(apiUrl: string, log: Log, closing: AbortSignal): Client {
  const options: ClientOptions = {
    // Of messages only those that mention us have words for us.
    intents: [GatewayIntentBits.Guilds, GatewayIntentBits.GuildVoiceStates, GatewayIntentBits.GuildMessages],
    // Nobody's messages are kept at hand.
    makeCache: Options.cacheWithLimits({ ...Options.DefaultMakeCacheSettings, MessageManager: 0 }),
    sweepers: SWEEPERS,
    allowedMentions: { parse: [], repliedUser: false },
    rest: {
      api: apiUrl,
      makeRequest: (url, init) => {
        const signal = AbortSignal.any(init.signal ? [init.signal, closing] : [closing]);
        return DefaultRestOptions.makeRequest(url, { ...init, signal });
      },
    },
  };
  const client = new Client(options);
  // Without a listener an 'error' event ends the process; async listeners that reject end up here too.
  client.on(Events.Error, (error) => log.error({ err: error }, 'discord client error'));
  client.on(Events.Warn, () => log.warn({}, 'discord client warning'));
  client.on(Events.ShardDisconnect, (event, shard) => log.warn({ shard, code: event.code }, 'gateway closed for good'));
  client.on(Events.ShardReconnecting, (shard) => log.info({ shard }, 'gateway reconnecting'));
  client.on(Events.ShardResume, (shard, replayed) => log.info({ shard, replayed }, 'gateway resumed'));
  return client;
}

/**
 * Signs in and waits until every server has arrived.
 * @throws {DiscordSignInError} for a token that is wrong or not allowed what it asks.
 * @throws {DiscordUnreachableError} when Discord does not answer.
 */
export async function signIn(client: Client, token: string, signal: AbortSignal): Promise<Client<true>> {
  const ready = Promise.withResolvers<Client<true>>();
  ready.promise.catch(() => {});
  client.once(Events.ClientReady, ready.resolve);
  const refused = onRefusal(client, ready.reject);
  const onAbort = (): void => ready.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const deadline = setTimeout(() => {
    ready.reject(new DiscordUnreachableError('Discord did not finish signing in'));
  }, READY_DEADLINE_MS);
  try {
    await Promise.race([client.login(token), ready.promise]);
    return await ready.promise;
  } catch (error) {
    throw signal.aborted ? error : signInError(error);
  } finally {
    clearTimeout(deadline);
    refused[Symbol.dispose]();
    signal.removeEventListener('abort', onAbort);
  }
}

/**
 * Calls `report` when the gateway turns the bot away for good (close codes 4004 and 4010 to 4014): connecting again would
 * only spend the day's sign-ins.
 */
export function onRefusal(client: Client, report: (error: DiscordSignInError) => void): Disposable {
  const listener = ({ code }: { code: number }): void => {
    const reason = REFUSAL_CODES.get(code);
    if (reason) report(new DiscordSignInError(`Discord closed the gateway with ${code}: ${reason}`));
  };
  client.on(Events.ShardDisconnect, listener);
  return { [Symbol.dispose]: () => void client.off(Events.ShardDisconnect, listener) };
}

/** Says from now on whether the gateway is connected, beginning with that it is. */
export function followGateway(client: Client, state: { ready(): void; notReady(reason: string): void }): void {
  client.on(Events.ShardReady, () => state.ready());
  client.on(Events.ShardResume, () => state.ready());
  client.on(Events.ShardReconnecting, () => state.notReady('reconnecting'));
  client.on(Events.ShardDisconnect, () => state.notReady('disconnected'));
  state.ready();
}

const REFUSAL_CODES: ReadonlyMap<number, string> = new Map([
  [4004, 'the bot token is wrong'],
  [4010, 'the shard is invalid'],
  [4011, 'the bot is in so many servers that it needs shards'],
  [4012, 'this API version is no longer served'],
  [4013, 'the intents are invalid'],
  [4014, 'the bot is not allowed an intent it asks for'],
]);

function signInError(error: unknown): Error {
  if (error instanceof DiscordUnreachableError || error instanceof DiscordSignInError) return error;
  if (error instanceof DiscordjsError && REFUSALS.has(error.code)) {
    return new DiscordSignInError('Discord does not accept the bot token', { cause: error });
  }
  return new DiscordUnreachableError('Discord cannot be reached', { cause: error });
}

const REFUSALS = new Set<DiscordjsErrorCodes>([DiscordjsErrorCodes.TokenInvalid, DiscordjsErrorCodes.TokenMissing]);
