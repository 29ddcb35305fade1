import { ApiError } from './api-error.ts';
import type { Exchange } from './exchange.ts';
import { answerFault } from './fault-answers.ts';
import type { ModelWorld } from './world.ts';

/** The application that the tokens are issued to. */
const CLIENT_ID = '00000000-0000-4000-8000-000000000001';

/**
 * Managed identity as an App Service offers it, `GET /msi/token?resource=…&api-version=2019-08-01` with the secret of
 * `IDENTITY_HEADER`, and as a virtual machine does (IMDS), `GET /metadata/identity/oauth2/token` with `Metadata: true`,
 * which `AZURE_POD_IDENTITY_AUTHORITY_HOST` brings to this host.
 * @throws {ApiError}
 */
export async function answerIdentity(
  exchange: Exchange,
  world: ModelWorld,
  form: 'app-service' | 'imds',
): Promise<void> {
  const fault = world.faults.take('token', false);
  if (fault?.kind === 'status') {
    const description = `The identity endpoint answers ${fault.status}`;
    const headers = fault.retryAfterSecs === undefined ? {} : { 'retry-after': String(fault.retryAfterSecs) };
    throw new ApiError(fault.status, { error: 'sandbox_fault', error_description: description }, headers);
  }
  if (fault?.kind === 'bad-json') {
    exchange.send(200, { 'content-type': 'application/json' }, '{"access_token":"ey');
    return;
  }
  if (fault !== undefined) {
    // A token comes in one piece: there is no later point at which to fail.
    const here = fault.kind === 'stall' || fault.kind === 'cut' ? { ...fault, afterChunks: 'headers' as const } : fault;
    if ((await answerFault(exchange, here, { clock: world.clock, model: '' })) === 'answered') return;
  }

  const { headers, url } = exchange.incoming;
  const query = new URL(url ?? '/', 'http://sandbox').searchParams;
  if (form === 'app-service' && headers['x-identity-header'] !== world.identityHeader) {
    throw new ApiError(401, { statusCode: 401, message: 'The identity header is missing or wrong.' });
  }
  if (form === 'imds' && headers['metadata'] !== 'true') {
    throw identityError('invalid_request', 'Required metadata header not specified');
  }
  const resource = query.get('resource');
  if (resource === null || resource === '')
    throw identityError('invalid_request', 'Required parameter resource is missing');
  if (!query.has('api-version')) throw identityError('invalid_request', 'Required parameter api-version is missing');

  const now = Math.floor(Date.now() / 1000);
  const life = Math.floor(world.tokens.lifeMs / 1000);
  exchange.json(200, {
    access_token: world.tokens.issue(resource),
    client_id: CLIENT_ID,
    expires_on: String(now + life),
    resource,
    token_type: 'Bearer',
    ...(form === 'imds' ? { expires_in: String(life), ext_expires_in: String(life), not_before: String(now) } : {}),
  });
}

function identityError(error: string, description: string): ApiError {
  return new ApiError(400, { error, error_description: description });
}
