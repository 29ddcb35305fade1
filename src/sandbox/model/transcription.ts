import type { ModelWorld } from './world.ts';
import type { Exchange } from './exchange.ts';
import { azureError } from './api-error.ts';

export async function answerTranscription(_exchange: Exchange, _world: ModelWorld, _model: string): Promise<void> {
  throw azureError(501, '501', 'not yet');
}
