import type { ModelFault } from '../control/protocol.ts';
import { sleep } from '../../time/clock.ts';
import type { Clock } from '../../time/clock.ts';
import { ApiError, audioNotFound, azureError, deploymentNotFound, invalidRequest } from './api-error.ts';
import type { ApiStyle } from './api-error.ts';
import { badToken } from './auth.ts';
import type { Exchange } from './exchange.ts';
import { answerHeaders, SAFE_CONTENT } from './wire.ts';

const HTML_PAGE =
  '<!DOCTYPE html>\n<html><head><title>Service</title></head><body><h1>It works</h1><p>You have reached a proxy.</p></body></html>\n';
const BAD_GATEWAY =
  '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>Microsoft-Azure-Application-Gateway/v2</center>\r\n</body>\r\n</html>\r\n';

/** The faults that take the place of an answer. The others change one: whoever sends it looks at them. */
export async function answerFault(
  exchange: Exchange,
  fault: ModelFault,
  context: {
    readonly clock: Clock;
    readonly model: string;
    readonly namedAudio?: { id: string; index: number } | undefined;
  },
): Promise<'answered' | 'go on'> {
  const { kind } = fault;
  if (kind === 'delay') {
    await sleep(context.clock, fault.ms, exchange.signal).catch(() => undefined);
    return exchange.signal.aborted ? 'answered' : 'go on';
  }
  if ((kind === 'stall' || kind === 'cut') && fault.afterChunks === 'headers') {
    if (kind === 'stall') await exchange.stall();
    else exchange.cut();
    return 'answered';
  }
  if (kind === 'status') answerStatus(exchange, fault, context.model);
  else if (kind === 'html') exchange.send(200, { 'content-type': 'text/html; charset=utf-8' }, HTML_PAGE);
  else if (kind === 'filter-prompt') exchange.fail(promptFiltered(), answerHeaders(exchange.style));
  else if (kind === 'audio-not-found') {
    const named = context.namedAudio ?? { id: 'audio_unknown', index: 0 };
    exchange.fail(audioNotFound(named.id, named.index), answerHeaders(exchange.style));
  } else return 'go on';
  return 'answered';
}

type StatusFault = ModelFault & { kind: 'status' };

function answerStatus(exchange: Exchange, fault: StatusFault, model: string): void {
  if (fault.status === 502) {
    exchange.send(502, { 'content-type': 'text/html' }, BAD_GATEWAY);
    return;
  }
  const headers = answerHeaders(exchange.style);
  if (fault.status === 429 && exchange.style !== 'openai') {
    // Azure's gateway refuses before the model names the request: only its own id is there.
    delete headers['x-request-id'];
    headers['x-ratelimit-remaining-requests'] = '0';
    headers['x-ratelimit-remaining-tokens'] = '0';
  }
  if (fault.retryAfterSecs !== undefined) {
    headers['retry-after'] = String(fault.retryAfterSecs);
    headers['retry-after-ms'] = String(fault.retryAfterSecs * 1000);
  }
  exchange.fail(statusError(fault, exchange.style, model), headers);
}

/** The API's own words for a status. */
function statusError(fault: StatusFault, style: ApiStyle, model: string): ApiError {
  const seconds = fault.retryAfterSecs ?? 60;
  return (style === 'openai' ? openAiErrors : azureErrors)(model, seconds)[fault.status];
}

function azureErrors(model: string, seconds: number): Record<StatusFault['status'], ApiError> {
  return {
    ...COMMON_ERRORS,
    401: badToken(),
    403: azureError(403, 'PermissionDenied', 'The principal lacks the required data action to perform this operation.'),
    404: deploymentNotFound('azure-v1', model),
    410: azureError(410, 'ModelDeprecated', `The model of deployment ${model} has been retired.`),
    429: azureError(
      429,
      '429',
      `Requests to the ChatCompletions_Create Operation under Azure OpenAI API have exceeded token rate limit of your current OpenAI S0 pricing tier. Please retry after ${seconds} seconds. Please go here: https://aka.ms/oai/quotaincrease if you would like to further increase the default rate limit.`,
    ),
  };
}

function openAiErrors(model: string, seconds: number): Record<StatusFault['status'], ApiError> {
  const limit = `Rate limit reached for ${model}. Please try again in ${seconds}s.`;
  return {
    ...COMMON_ERRORS,
    401: invalidRequest('Incorrect API key provided.', null, 'invalid_api_key', 401),
    403: invalidRequest('You are not allowed to use this model.', null, 'model_not_allowed', 403),
    404: deploymentNotFound('openai', model),
    410: invalidRequest(`The model \`${model}\` has been deprecated.`, null, 'model_not_found', 410),
    429: new ApiError(429, {
      error: { message: limit, type: 'tokens', param: null, code: 'rate_limit_exceeded' },
    }),
  };
}

const COMMON_ERRORS = {
  400: invalidRequest('The model could not process your request.', null, 'invalid_request'),
  408: azureError(408, 'Timeout', 'The operation was timeout.'),
  500: serverError(500, 'The server had an error while processing your request. Sorry about that!'),
  502: serverError(502, 'Bad gateway.'),
  503: serverError(503, 'The service is temporarily unable to process your request. Please try again later.'),
};

function serverError(status: number, message: string): ApiError {
  return new ApiError(status, { error: { message, type: 'server_error', param: null, code: null } });
}

/** The prompt was filtered. The wire says `innererror` and `content_filter_result` where the specification says otherwise. */
function promptFiltered(): ApiError {
  return new ApiError(400, {
    error: {
      message:
        "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify your prompt and retry. To learn more about our content filtering policies please read our documentation: https://go.microsoft.com/fwlink/?linkid=2198766",
      type: null,
      param: 'prompt',
      code: 'content_filter',
      status: 400,
      innererror: {
        code: 'ResponsibleAIPolicyViolation',
        content_filter_result: { ...SAFE_CONTENT, jailbreak: { filtered: true, detected: true } },
      },
    },
  });
}

/** The error that a server puts into a stream it has begun. */
export const STREAM_ERROR = {
  error: {
    message: 'The server had an error while processing your request. Sorry about that!',
    type: 'server_error',
    param: null,
    code: 'server_error',
  },
};
