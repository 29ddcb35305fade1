/** The three forms of address that the API has. They differ in authentication, headers and the form of some errors. */
export type ApiStyle = 'azure-dated' | 'azure-v1' | 'openai';

/** An answer that is not 2xx: its status, body and extra headers exactly as the API gives them. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) {
    super(`HTTP ${status}`);
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

/** A 400 in the form of the models themselves, the same behind every address. */
export function invalidRequest(message: string, param: string | null, code: string | null, status = 400): ApiError {
  return new ApiError(status, { error: { message, type: 'invalid_request_error', param, code } });
}

/** An error in the form of Azure's gateway, which stands before the models: a code and a message. */
export function azureError(status: number, code: string, message: string, headers?: Record<string, string>): ApiError {
  return new ApiError(status, { error: { code, message } }, headers);
}

/** No such path, or a dated path without its `api-version`. */
export function resourceNotFound(style: ApiStyle, method: string, path: string): ApiError {
  return style === 'openai'
    ? invalidRequest(`Invalid URL (${method} ${path})`, null, null, 404)
    : azureError(404, '404', 'Resource not found');
}

export function deploymentNotFound(style: ApiStyle, model: string): ApiError {
  if (style === 'openai') {
    const message = `The model \`${model}\` does not exist or you do not have access to it.`;
    return invalidRequest(message, null, 'model_not_found', 404);
  }
  return azureError(
    404,
    'DeploymentNotFound',
    'The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again.',
  );
}

/** The deployment exists, but its model is of another kind. */
export function wrongKindOfModel(
  style: ApiStyle,
  operation: 'chatCompletion' | 'transcription',
  model: string,
): ApiError {
  if (style === 'openai') {
    return operation === 'chatCompletion'
      ? invalidRequest(
          'This is not a chat model and thus not supported in the v1/chat/completions endpoint.',
          'model',
          null,
          404,
        )
      : invalidRequest(`Invalid model: ${model}.`, 'model', null);
  }
  return azureError(
    400,
    'OperationNotSupported',
    `The ${operation} operation does not work with the specified model, ${model}. Please choose different model and try again. You can learn more about which models can be used with each operation here: https://go.microsoft.com/fwlink/?linkid=2197993.`,
  );
}

export function audioNotFound(id: string, messageIndex: number): ApiError {
  return invalidRequest(
    `Assistant audio ${id} not found.`,
    `content.messages[${messageIndex}].audio.id`,
    'audio_not_found',
  );
}

export function unsupportedAudioFormat(): ApiError {
  return invalidRequest('This model does not support the format you provided.', 'messages', 'unsupported_format');
}
