import type { ModelFault, ModelSettings } from '../control/protocol.ts';
import type { AudioId } from './audio-ids.ts';
import type { AcceptedChat } from './chat-request.ts';
import type { Exchange } from './exchange.ts';
import type { Reply } from './reply.ts';
import type { ModelWorld } from './world.ts';

/** Everything that sending one chat answer needs. */
export interface Answer {
  readonly exchange: Exchange;
  readonly world: ModelWorld;
  readonly settings: Required<ModelSettings>;
  readonly chat: AcceptedChat;
  readonly reply: Reply;
  readonly model: string;
  /** The name of the spoken reply, known from its first chunk on. */
  readonly audioId: AudioId;
  /** A fault that changes the answer, rather than taking its place. */
  readonly fault: ModelFault | undefined;
  /** When the first sound (or, in text, the first word) is due, on the world's clock. */
  readonly firstAudioAtMs: number;
}
