import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Clock } from '../../time/clock.ts';
import type { PeopleControl, SandboxEvent, VoiceControl, WorldControl } from '../control/protocol.ts';
import { AttachmentStore } from './attachments.ts';
import { Gateway } from './gateway/gateway.ts';
import { InteractionBook } from './interaction-book.ts';
import { MessageBoard } from './messages.ts';
import { createPeopleControl } from './people.ts';
import { applicationRoutes } from './rest/application-routes.ts';
import { channelRoutes } from './rest/channel-routes.ts';
import { commandRoutes } from './rest/command-routes.ts';
import { Composer } from './rest/compose.ts';
import { guildRoutes } from './rest/guild-routes.ts';
import { interactionRoutes } from './rest/interaction-routes.ts';
import { messageRoutes } from './rest/message-routes.ts';
import { RequestLog } from './rest/request-log.ts';
import { createRestApp } from './rest/rest-app.ts';
import { webhookRoutes } from './rest/webhook-routes.ts';
import { type VoiceCalls, VoicePresence } from './voice-presence.ts';
import { World } from './world.ts';
import { createWorldControl } from './world-control.ts';

const KEEP_ALIVE_MS = 10 * 60 * 1000;

export interface DiscordServerOptions {
  readonly clock: Clock;
  readonly emit: (event: SandboxEvent) => void;
  readonly voice: VoiceCalls;
  /** Privileged intents switched on for the application. Default none. */
  readonly privilegedIntents?: number;
}

/** The text half of the sandbox's Discord: REST, CDN and gateway on one loopback port. */
export interface DiscordServer extends AsyncDisposable {
  readonly token: string;
  /** REST base without the version, as discord.js wants it: `http://127.0.0.1:PORT/api`. */
  readonly apiUrl: string;
  /** Host and port attachments come from. */
  readonly cdnHost: string;
  /** The part of the control API that is about Discord, the sound apart. */
  readonly methods: WorldControl & PeopleControl & Pick<VoiceControl, 'join' | 'leave' | 'setSelfVoice'>;
  /** The call moved: the bot gets a new VOICE_SERVER_UPDATE. */
  announceVoiceServer(guildId: string, token: string, endpoint: string): void;
  /** Whether the bot's voice socket in a guild is up, as the voice server's events tell. */
  setVoiceConnected(guildId: string, connected: boolean): void;
}

/** Starts a Discord with one guild: "Parley Sandbox" with #general, the voice channel Lounge, Alice and Bob. */
export async function startDiscordServer(options: DiscordServerOptions): Promise<DiscordServer> {
  const { clock, emit, voice, privilegedIntents = 0 } = options;
  const world = new World({ clock, emit, privilegedIntents });
  const token = createToken(world.bot.id);
  const store = new AttachmentStore(world);
  const board = new MessageBoard(world, store);
  const book = new InteractionBook(world, board);
  const composer = new Composer(world, store);
  const log = new RequestLog(clock);
  const ended = new AbortController();
  let origin = '';
  const gatewayUrl = (): string => `${origin.replace('http', 'ws')}/gateway`;
  const gateway = new Gateway({ world, token, url: gatewayUrl, presence: () => presence });
  const presence = new VoicePresence(world, voice, (...place) => gateway.announceVoiceServer(...place));

  const parts = { world, board, book, composer };
  const app = createRestApp({
    clock,
    token,
    log,
    signal: ended.signal,
    routes: [
      ...applicationRoutes(world, gatewayUrl),
      ...commandRoutes(world),
      ...interactionRoutes(parts),
      ...webhookRoutes(parts),
      ...messageRoutes(parts),
      ...channelRoutes(world, board),
      ...guildRoutes(world, presence),
    ],
  });
  app.on('GET', ['/attachments/*', '/ephemeral-attachments/*'], (context) => {
    const answer = store.fetch(new URL(context.req.url));
    if (!answer.found) return new Response('This content is no longer available.', { status: 404 });
    return new Response(Buffer.from(answer.file.bytes), { headers: { 'content-type': answer.file.contentType } });
  });

  // The adapter would otherwise replace `Request` and `Response` for the whole process.
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  const server = createServer((incoming, outgoing) => void listener(incoming, outgoing));
  server.on('upgrade', (request, socket, head) => gateway.upgrade(request, socket, head));
  // Longer than any client keeps an idle connection: a request never meets a socket that is just being closed.
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cdnHost = `127.0.0.1:${portOf(server)}`;
  origin = `http://${cdnHost}`;
  store.origin = origin;

  const guild = world.createGuild('Parley Sandbox');
  world.createChannel(guild, 'general', 'text');
  world.createChannel(guild, 'Lounge', 'voice');
  world.createPerson(guild, 'Alice');
  world.createPerson(guild, 'Bob');

  return {
    token,
    apiUrl: `${origin}/api`,
    cdnHost,
    methods: {
      ...createWorldControl({ world, gateway, presence, log }),
      ...createPeopleControl({ world, board, book, store }),
      async join({ personId, channelId, selfMute = false, selfDeaf = false }) {
        presence.join(world.person(personId).id, channelId, { selfMute, selfDeaf });
      },
      async leave({ personId }) {
        presence.leave(world.person(personId).id);
      },
      async setSelfVoice({ personId, ...self }) {
        presence.setSelf(world.person(personId).id, self);
      },
    },
    announceVoiceServer: (...place) => gateway.announceVoiceServer(...place),
    setVoiceConnected: (guildId, connected) => presence.setConnected(guildId, connected),
    async [Symbol.asyncDispose]() {
      ended.abort();
      book[Symbol.dispose]();
      gateway[Symbol.dispose]();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Shaped like Discord's: the bot's id, a time and a secret. */
function createToken(botId: string): string {
  const time = Buffer.alloc(4);
  time.writeUInt32BE(Math.trunc(Date.now() / 1000));
  const parts = [Buffer.from(botId), time, randomBytes(28)];
  return parts.map((part) => part.toString('base64url')).join('.');
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('The server has no port.');
  return address.port;
}
