import type { Exchange } from './exchange.ts';
import type { ModelWorld } from './world.ts';

/** What a deployment can be asked to do. */
export interface Operation<Body> {
  readonly endpoint: 'chat' | 'transcription';
  /** As the API calls it in its errors. */
  readonly name: 'chatCompletion' | 'transcription';
  /** @throws {ApiError} */
  parse(exchange: Exchange): Promise<Body>;
  /** The model that the body names: what chooses the deployment where the path does not. */
  modelOf(body: Body): string | undefined;
  /** Answers a request whose sender and deployment are known. @throws {ApiError} when it is refused. */
  answer(exchange: Exchange, world: ModelWorld, model: string, body: Body): Promise<void>;
}
