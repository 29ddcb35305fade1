import { z } from 'zod';

import { FRAME_MS } from '../../../src/audio/frame.ts';
import type { HeardPacket, ModelRequestRecord } from '../../../src/sandbox/control/protocol.ts';
import type { Room, Stage } from './stage.ts';

/** A reply packet at least this loud can be heard. */
const AUDIBLE_LEVEL = 0.002;

/** What the bot's log says of a turn, as far as this bench wants to know it. */
const turnSchema = z.object({
  msg: z.literal('turn ended'),
  guild: z.string(),
  playedMs: z.number(),
  interrupted: z.boolean(),
  endOfTurnMs: z.number().optional(),
  speculation: z.string().optional(),
});

export type LoggedTurn = z.infer<typeof turnSchema>;

/** What the bot has logged of a room's turns, in their order. Nothing for bots that log nothing. */
export function loggedTurns({ bot }: Stage, { guildId }: Room): LoggedTurn[] {
  return bot.lines.flatMap((line) => {
    if (!line.includes('"turn ended"')) return [];
    const { success, data } = turnSchema.safeParse(JSON.parse(line));
    return success && data.guild === guildId ? data : [];
  });
}

/** What a room's person has heard of the bot, as it arrived. */
export async function packetsOf(
  { client, botId }: Stage,
  room: Room,
  sinceMs: number,
): Promise<readonly HeardPacket[]> {
  const { packets } = await client.heard({ personId: room.personId, fromUserId: botId, sinceMs, sound: false });
  return packets;
}

export function isAudible({ silence, level }: HeardPacket): boolean {
  return !silence && level >= AUDIBLE_LEVEL;
}

/** How far the time between two packets that follow each other was from 20 ms, for each pair of a reply. */
export function playoutDeviations(packets: readonly HeardPacket[]): number[] {
  return packets.flatMap((packet, index) => {
    const before = packets[index - 1];
    const follows =
      before && !before.silence && !packet.silence && packet.sequence === ((before.sequence + 1) & 0xffff);
    // A timestamp that jumps is the pause between two replies.
    if (!follows || packet.timestamp - before.timestamp !== 960) return [];
    return Math.abs(packet.atMs - before.atMs - FRAME_MS);
  });
}

/** Requests for an answer, by the room whose person they name last; those that name nobody are under `undefined`. */
export async function requestsByRoom(
  { client, rooms }: Stage,
  sinceMs: number,
): Promise<Map<Room | undefined, ModelRequestRecord[]>> {
  const requests = await client.modelRequests({ sinceMs, sound: false });
  return Map.groupBy(
    requests.filter(({ endpoint }) => endpoint === 'chat'),
    (request) => {
      const said = JSON.stringify(lastMessage(request.body) ?? '');
      return rooms.find(({ personName }) => said.includes(personName));
    },
  );
}

function lastMessage(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || !('messages' in body) || !Array.isArray(body.messages)) return;
  return body.messages.at(-1);
}
