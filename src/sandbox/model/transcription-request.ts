import { invalidRequest } from './api-error.ts';
import type { Exchange } from './exchange.ts';
import { parseJson } from './chat-request.ts';
import type { Endpoint } from './records.ts';

/** The model that the body of a v1 request names. @throws {ApiError} */
export async function modelNamed(exchange: Exchange, endpoint: Endpoint): Promise<string> {
  const model = endpoint === 'chat' ? Object(parseJson(exchange.body)).model : undefined;
  if (typeof model === 'string') return model;
  throw invalidRequest('you must provide a model parameter', null, null);
}
