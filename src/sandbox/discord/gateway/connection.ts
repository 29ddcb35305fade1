import type { WebSocket } from 'ws';
import { z } from 'zod';
import type { Clock } from '../../../time/clock.ts';
import { type GatewaySession, OPCODES, sendOpcode } from './session.ts';

const HEARTBEAT_INTERVAL_MS = 41_250;

/** Largest frame a client may send, and how many in a minute ("Sending Events", "Rate Limiting"). */
const MAX_FRAME_BYTES = 4096;
const MAX_FRAMES = 120;
const FRAME_WINDOW_MS = 60_000;

const frameSchema = z.looseObject({ op: z.int(), d: z.unknown().optional() });

const identifySchema = z.looseObject({
  token: z.string(),
  intents: z.unknown().optional(),
  shard: z.tuple([z.int(), z.int()]).optional(),
});

const resumeSchema = z.looseObject({ token: z.string(), session_id: z.string(), seq: z.int() });

const voiceStateSchema = z.looseObject({
  guild_id: z.string(),
  channel_id: z.string().nullable(),
  self_mute: z.boolean().default(false),
  self_deaf: z.boolean().default(false),
});

const membersSchema = z.looseObject({
  guild_id: z.union([z.string(), z.tuple([z.string()]).transform(([id]) => id)]),
  query: z.string().optional(),
  limit: z.int().min(0).default(0),
  user_ids: z.union([z.string().transform((id) => [id]), z.array(z.string())]).optional(),
  nonce: z.string().optional(),
});

export type IdentifyForm = z.output<typeof identifySchema>;
export type ResumeForm = z.output<typeof resumeSchema>;
export type VoiceStateForm = z.output<typeof voiceStateSchema>;
export type MembersForm = z.output<typeof membersSchema>;

/** What a connection asks of the gateway. The first two answer with the session, or close the socket themselves. */
export interface ConnectionHandler {
  identify(socket: WebSocket, form: IdentifyForm): GatewaySession | undefined;
  resume(socket: WebSocket, form: ResumeForm): GatewaySession | undefined;
  voiceState(session: GatewaySession, form: VoiceStateForm): void;
  requestMembers(session: GatewaySession, form: MembersForm): void;
  closed(session: GatewaySession, socket: WebSocket, code: number): void;
}

/** Speaks the gateway's protocol with a socket for as long as it is open. */
export function serveConnection(socket: WebSocket, clock: Clock, handler: ConnectionHandler): void {
  const connection = new GatewayConnection(socket, clock, handler);
  socket.on('message', (data: Buffer) => connection.receive(data));
  socket.on('close', (code) => connection.closed(code));
}

/** One socket: hello, heartbeats, limits, and who may say what when. */
class GatewayConnection {
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  readonly #handler: ConnectionHandler;
  #latest: GatewaySession | undefined;
  #heartbeatDeadline: Disposable;
  #frames = 0;
  #windowEndsAtMs: number;

  constructor(socket: WebSocket, clock: Clock, handler: ConnectionHandler) {
    this.#socket = socket;
    this.#clock = clock;
    this.#handler = handler;
    this.#windowEndsAtMs = clock.nowMs() + FRAME_WINDOW_MS;
    this.#heartbeatDeadline = this.#startHeartbeatDeadline();
    socket.on('error', () => socket.terminate());
    sendOpcode(socket, OPCODES.hello, { heartbeat_interval: HEARTBEAT_INTERVAL_MS, _trace: [] });
  }

  closed(code: number): void {
    this.#heartbeatDeadline[Symbol.dispose]();
    if (this.#latest) this.#handler.closed(this.#latest, this.#socket, code);
  }

  receive(data: Buffer): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (!this.#withinRate()) return this.#socket.close(4008, 'You are being rate limited.');
    const frame = data.byteLength > MAX_FRAME_BYTES ? undefined : frameSchema.safeParse(parseJson(data.toString()));
    if (!frame?.success) return this.#socket.close(4002, 'Error while decoding payload.');
    const code = this.#handle(frame.data.op, frame.data.d);
    if (code !== undefined) this.#socket.close(code);
  }

  /** Carries a frame out; the close code it deserves, if any. */
  #handle(op: number, data: unknown): number | undefined {
    switch (op) {
      case OPCODES.heartbeat:
        return this.#heartbeat(data);
      case OPCODES.identify:
        if (this.#session) return 4005;
        return read(identifySchema, data, (form) => {
          this.#latest = this.#handler.identify(this.#socket, form);
        });
      case OPCODES.resume:
        if (this.#session) return 4005;
        return read(resumeSchema, data, (form) => {
          this.#latest = this.#handler.resume(this.#socket, form);
        });
      case OPCODES.presence:
        return this.#session ? undefined : 4003;
      case OPCODES.voiceState:
        return this.#identified(voiceStateSchema, data, (session, form) => this.#handler.voiceState(session, form));
      case OPCODES.requestMembers:
        return this.#identified(membersSchema, data, (session, form) => this.#handler.requestMembers(session, form));
      default:
        return 4001;
    }
  }

  /** The session this socket speaks for. After opcode 9 it is none: the client may identify or resume here. */
  get #session(): GatewaySession | undefined {
    return this.#latest?.socket === this.#socket ? this.#latest : undefined;
  }

  #heartbeat(sequence: unknown): undefined {
    if (typeof sequence === 'number') this.#session?.acknowledge(sequence);
    this.#heartbeatDeadline[Symbol.dispose]();
    this.#heartbeatDeadline = this.#startHeartbeatDeadline();
    sendOpcode(this.#socket, OPCODES.heartbeatAck);
  }

  #identified<Schema extends z.ZodType>(
    schema: Schema,
    data: unknown,
    carryOut: (session: GatewaySession, form: z.output<Schema>) => void,
  ): number | undefined {
    const session = this.#session;
    if (!session) return 4003;
    return read(schema, data, (form) => carryOut(session, form));
  }

  /** A client that misses two heartbeats is taken for dead. */
  #startHeartbeatDeadline(): Disposable {
    return this.#clock.after(2 * HEARTBEAT_INTERVAL_MS, () => this.#socket.terminate());
  }

  #withinRate(): boolean {
    const nowMs = this.#clock.nowMs();
    if (nowMs >= this.#windowEndsAtMs) {
      this.#windowEndsAtMs = nowMs + FRAME_WINDOW_MS;
      this.#frames = 0;
    }
    this.#frames += 1;
    return this.#frames <= MAX_FRAMES;
  }
}

function read<Schema extends z.ZodType>(
  schema: Schema,
  data: unknown,
  carryOut: (form: z.output<Schema>) => void,
): 4002 | undefined {
  const form = schema.safeParse(data);
  if (!form.success) return 4002;
  carryOut(form.data);
  return undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
