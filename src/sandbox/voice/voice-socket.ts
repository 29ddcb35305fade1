import type { RawData, WebSocket } from 'ws';

import type { BotLink } from './bot-link.ts';
import { CLOSE, OP } from './voice-codes.ts';

/** What Discord's voice gateway asks for. */
const HEARTBEAT_INTERVAL_MS = 13_750;

/** Opcode 0 as far as the server looks at it. */
export interface Identify {
  readonly guildId: unknown;
  readonly userId: unknown;
  readonly sessionId: unknown;
  readonly token: unknown;
  readonly maxDaveVersion: 0 | 1;
}

/** Opcode 7. */
export interface Resume {
  readonly guildId: unknown;
  readonly sessionId: unknown;
  readonly token: unknown;
  readonly acknowledged: number;
}

/** Who lets sockets in. Both give the link the socket now belongs to, or the code it is to be closed with. */
export interface VoiceDoor {
  identify(socket: WebSocket, request: Identify): BotLink | number;
  resume(socket: WebSocket, request: Resume): BotLink | number;
}

/** Serves one voice gateway socket: hello, identify or resume, heartbeats, and the rest to the session's link. */
export function serveVoiceSocket(socket: WebSocket, door: VoiceDoor): void {
  let link: BotLink | undefined;

  function enter(entered: BotLink | number): void {
    if (typeof entered === 'number') socket.close(entered);
    else link = entered;
  }

  function onText(text: string): void {
    const message = parseMessage(text);
    if (!message) {
      refuse(CLOSE.failedToDecode);
      return;
    }
    const { op, d } = message;
    if (op === OP.heartbeat) {
      socket.send(JSON.stringify({ op: OP.heartbeatAck, d: { t: d['t'] } }));
    } else if (link) {
      link.message(op, d);
    } else if (op === OP.identify) {
      enter(
        door.identify(socket, {
          guildId: d['server_id'],
          userId: d['user_id'],
          sessionId: d['session_id'],
          token: d['token'],
          maxDaveVersion: Number(d['max_dave_protocol_version']) >= 1 ? 1 : 0,
        }),
      );
    } else if (op === OP.resume) {
      enter(
        door.resume(socket, {
          guildId: d['server_id'],
          sessionId: d['session_id'],
          token: d['token'],
          acknowledged: Number(d['seq_ack'] ?? -1),
        }),
      );
    } else {
      socket.close(CLOSE.notAuthenticated);
    }
  }

  function refuse(code: number): void {
    if (link) link.end(code);
    else socket.close(code);
  }

  socket.on('message', (data, isBinary) => {
    const bytes = toBuffer(data);
    if (!isBinary) onText(bytes.toString());
    else if (bytes.length > 0) link?.binary(bytes.readUInt8(0), bytes.subarray(1));
  });
  socket.on('close', (code) => link?.socketClosed(socket, code));
  // A protocol error of the peer; 'close' follows.
  socket.on('error', () => {});
  socket.send(JSON.stringify({ op: OP.hello, d: { v: 8, heartbeat_interval: HEARTBEAT_INTERVAL_MS } }));
}

function parseMessage(text: string): { op: number; d: Record<string, unknown> } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value) || typeof value['op'] !== 'number') return undefined;
  // Heartbeats of old clients carry a bare number.
  return { op: value['op'], d: isRecord(value['d']) ? value['d'] : { t: value['d'] } };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function toBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
