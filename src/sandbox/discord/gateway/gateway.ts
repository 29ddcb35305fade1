import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { GatewayFault } from '../../control/protocol.ts';
import { Refusal } from '../../control/refusal.ts';
import { seenByBot } from '../content-filter.ts';
import type { JsonObject } from '../entities.ts';
import { guildCreatePayload, memberPayload, userPayload } from '../payloads.ts';
import { may } from '../permissions.ts';
import { applicationFlags } from '../rest/application-routes.ts';
import type { VoicePresence } from '../voice-presence.ts';
import type { Dispatch, World } from '../world.ts';
import {
  type ConnectionHandler,
  type IdentifyForm,
  type MembersForm,
  type ResumeForm,
  serveConnection,
  type VoiceStateForm,
} from './connection.ts';
import { INTENTS, intentsRefusal, wants } from './intents.ts';
import { GatewaySession, OPCODES, sendFrame, sendOpcode } from './session.ts';

/** How long a session without a socket can be resumed. */
const SESSION_LIFE_MS = 3 * 60 * 1000;

/** Members in one GUILD_MEMBERS_CHUNK. */
const CHUNK_SIZE = 1000;

/** Close codes after which the client has to begin a new session. */
const ENDS_SESSION: ReadonlySet<number> = new Set([1000, 1001, 4004, 4007, 4009, 4010, 4011, 4012, 4013, 4014]);

export interface GatewayOptions {
  readonly world: World;
  readonly presence: () => VoicePresence;
  readonly token: string;
  readonly url: () => string;
}

/** Discord's gateway, version 10, JSON without compression. */
export class Gateway implements ConnectionHandler, Disposable {
  readonly #options: GatewayOptions;
  readonly #world: World;
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: 64 * 1024, clientTracking: true });
  readonly #sessions = new Map<string, GatewaySession>();
  #voiceServerFault: { mode: 'withhold' | 'null-endpoint'; left: number } = { mode: 'withhold', left: 0 };
  #wasOnline = false;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#world = options.world;
    this.#world.onDispatch((dispatch) => this.#publish(dispatch));
  }

  /** The bot has a socket on an identified session. */
  get online(): boolean {
    return this.#attached().length > 0;
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const query = new URL(request.url ?? '/', 'ws://gateway').searchParams;
    this.#server.handleUpgrade(request, socket, head, (client) => {
      if ((query.get('v') ?? '10') !== '10') return client.close(4012, 'Invalid API version');
      if ((query.get('encoding') ?? 'json') !== 'json' || query.has('compress')) return client.close(4002);
      serveConnection(client, this.#world.clock, this);
    });
  }

  identify(socket: WebSocket, form: IdentifyForm): GatewaySession | undefined {
    const shard = form.shard ?? ([0, 1] as const);
    const refusal = this.#identifyRefusal(form, shard);
    if (refusal !== undefined) {
      socket.close(refusal);
      return undefined;
    }
    const session = new GatewaySession(Number(form.intents), shard, socket);
    this.#sessions.set(session.id, session);
    const guilds = [...this.#world.guilds.values()].filter(({ id }) => session.covers(id));
    session.dispatch('READY', {
      v: 10,
      user: { ...userPayload(this.#world.bot), verified: true, mfa_enabled: false, flags: 0, email: null },
      guilds: guilds.map(({ id }) => ({ id, unavailable: true })),
      session_id: session.id,
      session_type: 'normal',
      resume_gateway_url: this.#options.url(),
      shard,
      application: { id: this.#world.bot.id, flags: applicationFlags(this.#world) },
      private_channels: [],
      presences: [],
      relationships: [],
      user_settings: {},
      geo_ordered_rtc_regions: [],
    });
    this.#announceOnline();
    for (const guild of guilds) {
      if (guild.available) this.#publishTo(session, { event: 'GUILD_CREATE', data: {}, guildId: guild.id });
    }
    return session;
  }

  #identifyRefusal(form: IdentifyForm, [shard, count]: readonly [number, number]): number | undefined {
    if (form.token.replace(/^Bot /, '') !== this.#options.token) return 4004;
    if (count < 1 || shard < 0 || shard >= count) return 4010;
    return intentsRefusal(form.intents, this.#world.privilegedIntents);
  }

  resume(socket: WebSocket, form: ResumeForm): GatewaySession | undefined {
    if (form.token.replace(/^Bot /, '') !== this.#options.token) {
      socket.close(4004);
      return undefined;
    }
    const session = this.#sessions.get(form.session_id);
    if (!session?.canResumeFrom(form.seq)) {
      sendOpcode(socket, OPCODES.invalidSession, false);
      return undefined;
    }
    session.socket?.close(4000);
    session.resume(socket, form.seq);
    this.#announceOnline();
    return session;
  }

  voiceState(session: GatewaySession, form: VoiceStateForm): void {
    const self = { selfMute: form.self_mute, selfDeaf: form.self_deaf };
    this.#options.presence().requestForBot(form.guild_id, form.channel_id, self, session.id);
  }

  /** Asking for everybody without the privileged members intent is answered by nothing. */
  requestMembers(session: GatewaySession, form: MembersForm): void {
    const guild = this.#world.guilds.get(form.guild_id);
    if (!guild) return;
    const members = [...guild.members.values()];
    const everybody = form.user_ids === undefined && (form.query ?? '') === '' && form.limit === 0;
    if (everybody && (session.intents & INTENTS.GUILD_MEMBERS) === 0) return;
    const query = (form.query ?? '').toLowerCase();
    const found = form.user_ids
      ? members.filter(({ user }) => form.user_ids?.includes(user.id))
      : members.filter(({ user }) => user.name.toLowerCase().startsWith(query)).slice(0, form.limit || members.length);
    const chunks = Math.max(1, Math.ceil(found.length / CHUNK_SIZE));
    for (let index = 0; index < chunks; index += 1) {
      session.dispatch('GUILD_MEMBERS_CHUNK', {
        guild_id: guild.id,
        members: found.slice(index * CHUNK_SIZE, (index + 1) * CHUNK_SIZE).map(memberPayload),
        chunk_index: index,
        chunk_count: chunks,
        not_found: (form.user_ids ?? []).filter((id) => !guild.members.has(id)),
        ...(form.nonce === undefined ? {} : { nonce: form.nonce }),
      });
    }
  }

  closed(session: GatewaySession, socket: WebSocket, code: number): void {
    if (session.socket === socket) this.#detach(session, !ENDS_SESSION.has(code));
  }

  /** The session has no socket any more; a resumable one waits for the next. */
  #detach(session: GatewaySession, resumable: boolean): void {
    session.socket = undefined;
    if (!resumable) this.#end(session);
    else if (this.#sessions.has(session.id)) {
      session.expiry = this.#world.clock.after(SESSION_LIFE_MS, () => this.#end(session));
    }
    this.#announceOnline();
  }

  /** Tells the session the bot is in the call with where its voice server is. */
  announceVoiceServer(guildId: string, token: string, endpoint: string): void {
    const state = this.#world.guilds.get(guildId)?.voiceStates.get(this.#world.bot.id);
    const session = state && this.#sessions.get(state.sessionId);
    const fault = this.#voiceServerFault.left > 0 ? this.#voiceServerFault.mode : undefined;
    if (fault) this.#voiceServerFault.left -= 1;
    if (fault === 'withhold') return;
    const data = { token, guild_id: guildId, endpoint: fault === 'null-endpoint' ? null : endpoint };
    session?.dispatch('VOICE_SERVER_UPDATE', data);
  }

  /** @throws {Refusal} when the fault needs a connected bot and there is none. */
  fault(fault: GatewayFault): void {
    if (fault.kind === 'voice-server-update') {
      this.#voiceServerFault = { mode: fault.mode, left: fault.times };
      return;
    }
    const attached = this.#attached();
    if (attached.length === 0) throw new Refusal('The bot is not connected to the gateway.');
    for (const { session, socket } of attached) this.#faultOne(fault, session, socket);
  }

  #faultOne(
    fault: Exclude<GatewayFault, { kind: 'voice-server-update' }>,
    session: GatewaySession,
    socket: WebSocket,
  ): void {
    switch (fault.kind) {
      case 'close':
        // 1006 is what the other side sees when there was no close frame.
        if (fault.code === 1006) socket.terminate();
        else socket.close(fault.code);
        if (ENDS_SESSION.has(fault.code)) this.#end(session);
        return;
      case 'cut':
        socket.terminate();
        return;
      case 'reconnect':
        sendOpcode(socket, OPCODES.reconnect);
        return;
      case 'invalid-session':
        sendOpcode(socket, OPCODES.invalidSession, fault.resumable);
        this.#detach(session, fault.resumable);
        return;
      case 'dispatch':
        session.dispatch(fault.event, isObject(fault.data) ? fault.data : { value: fault.data });
        return;
      case 'raw':
        sendFrame(socket, fault.text);
    }
  }

  [Symbol.dispose](): void {
    for (const session of this.#sessions.values()) session.expiry?.[Symbol.dispose]();
    for (const client of this.#server.clients) client.terminate();
    this.#server.close();
  }

  #publish(dispatch: Dispatch): void {
    for (const session of this.#sessions.values()) this.#publishTo(session, dispatch);
  }

  #publishTo(session: GatewaySession, { event, data, guildId, channelId }: Dispatch): void {
    if (!wants(session.intents, event)) return;
    if (guildId !== undefined && !session.covers(guildId)) return;
    const guild = guildId === undefined ? undefined : this.#world.guilds.get(guildId);
    if (guild && !guild.available && event !== 'GUILD_DELETE') return;
    const channel = channelId === undefined ? undefined : guild?.channels.get(channelId);
    if (guild && channel && !may(guild, channel, this.#world.botMember(guild), 'VIEW_CHANNEL')) return;
    if (event === 'GUILD_CREATE' && guild) {
      const voiceStates = (session.intents & INTENTS.GUILD_VOICE_STATES) !== 0;
      const everyMember = (session.intents & INTENTS.GUILD_PRESENCES) !== 0;
      session.dispatch(event, guildCreatePayload(this.#world, guild, { voiceStates, everyMember }));
    } else {
      const message = event === 'MESSAGE_CREATE' || event === 'MESSAGE_UPDATE';
      session.dispatch(event, message ? seenByBot(this.#world, data, session.intents) : data);
    }
  }

  #end(session: GatewaySession): void {
    session.expiry?.[Symbol.dispose]();
    this.#sessions.delete(session.id);
    this.#options.presence().endSession(session.id);
  }

  #attached(): { session: GatewaySession; socket: WebSocket }[] {
    return [...this.#sessions.values()].flatMap((session) =>
      session.socket?.readyState === session.socket?.OPEN && session.socket
        ? [{ session, socket: session.socket }]
        : [],
    );
  }

  #announceOnline(): void {
    const online = this.online;
    if (online === this.#wasOnline) return;
    this.#wasOnline = online;
    this.#world.emit({ type: online ? 'bot-online' : 'bot-offline', atMs: this.#world.clock.nowMs() });
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
