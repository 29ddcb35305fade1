import type { WebSocket } from 'ws';
import { FRAME_SAMPLES } from '../../audio/frame.ts';
import type { HeardSound } from '../voice/hearing.ts';
import type { MicrophoneGate } from '../voice/live-microphone.ts';
import type { LiveSound } from '../voice/live-sound.ts';

const FRAME_BYTES = FRAME_SAMPLES * 2;
/** Sender (64-bit id), RTP timestamp (32 bits), 1 for a silence frame (32 bits); little-endian, as is the sound. */
const HEADER_BYTES = 16;
/** A page that does not read loses sound rather than filling the memory: two seconds of it. */
const MAX_UNSENT_BYTES = 100 * (HEADER_BYTES + FRAME_BYTES);

const GATES: ReadonlySet<string> = new Set<MicrophoneGate>(['voice', 'open', 'closed']);

interface LivePerson {
  readonly personId: string;
  readonly live: LiveSound;
  readonly gone: () => void;
}

/**
 * Carries sound between the page and its person: 20 ms frames of 24 kHz mono 16-bit PCM in each direction, and the
 * microphone's gate as a word.
 */
export function serveLiveSound(socket: WebSocket, { personId, live, gone }: LivePerson): void {
  const microphone = live.microphone(personId);
  const listening = live.listen(personId, (senderId, sound) => {
    if (socket.readyState !== socket.OPEN || socket.bufferedAmount > MAX_UNSENT_BYTES) return;
    socket.send(packetOf(senderId, sound));
  });
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) {
      // A copy: the socket's buffer may lie at an odd address.
      if (data.length === FRAME_BYTES) microphone.push(new Int16Array(Uint8Array.from(data).buffer));
      return;
    }
    const gate = data.toString();
    if (isGate(gate)) microphone.gate = gate;
  });
  socket.on('error', () => socket.terminate());
  socket.on('close', () => {
    listening[Symbol.dispose]();
    microphone[Symbol.dispose]();
    gone();
  });
}

function isGate(word: string): word is MicrophoneGate {
  return GATES.has(word);
}

function packetOf(senderId: string, { packet, samples }: HeardSound): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + samples.byteLength);
  bytes.writeBigUInt64LE(BigInt(senderId));
  bytes.writeUInt32LE(packet.timestamp, 8);
  bytes.writeUInt32LE(packet.silence ? 1 : 0, 12);
  bytes.set(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength), HEADER_BYTES);
  return bytes;
}
