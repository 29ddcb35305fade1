import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono } from 'hono';
import type { Context } from 'hono';

import { ApiError, deploymentNotFound, invalidRequest, resourceNotFound, wrongKindOfModel } from './api-error.ts';
import type { ApiStyle } from './api-error.ts';
import { checkCredentials } from './auth.ts';
import { CHAT } from './chat.ts';
import { Exchange } from './exchange.ts';
import { answerIdentity } from './identity.ts';
import type { Operation } from './operation.ts';
import type { Endpoint } from './records.ts';
import { TRANSCRIPTION } from './transcription.ts';
import { answerHeaders } from './wire.ts';
import { DEPLOYMENTS } from './world.ts';
import type { ModelWorld } from './world.ts';

type ModelContext = Context<{ Bindings: HttpBindings }>;

/** The paths of the API in its three forms, and those of managed identity. */
export function modelRoutes(world: ModelWorld): Hono<{ Bindings: HttpBindings }> {
  const app = new Hono<{ Bindings: HttpBindings }>();

  app.post('/openai/deployments/:name/chat/completions', (c) => model(c, CHAT, 'azure-dated', c.req.param('name')));
  app.post('/openai/v1/chat/completions', (c) => model(c, CHAT, 'azure-v1', undefined));
  app.post('/v1/chat/completions', (c) => model(c, CHAT, 'openai', undefined));

  app.post('/openai/deployments/:name/audio/transcriptions', (c) =>
    model(c, TRANSCRIPTION, 'azure-dated', c.req.param('name')),
  );
  app.post('/openai/v1/audio/transcriptions', (c) => model(c, TRANSCRIPTION, 'azure-v1', undefined));
  app.post('/v1/audio/transcriptions', (c) => model(c, TRANSCRIPTION, 'openai', undefined));

  app.get('/msi/token', (c) => identity(c, 'app-service'));
  app.get('/metadata/identity/oauth2/token', (c) => identity(c, 'imds'));

  app.all('*', (c) => {
    const style = c.req.path.startsWith('/openai/') ? 'azure-v1' : 'openai';
    return Response.json(resourceNotFound(style, c.req.method, c.req.path).body, { status: 404 });
  });
  return app;

  async function model<Body>(
    c: ModelContext,
    operation: Operation<Body>,
    style: ApiStyle,
    deployment: string | undefined,
  ): Promise<Response> {
    return await exchanging(c, operation.endpoint, style, async (exchange) => {
      const credentials = checkCredentials(exchange.incoming.headers, style, world);
      exchange.entry.auth = credentials.kind;
      if (credentials.refusal !== undefined) throw credentials.refusal;
      if (style === 'azure-dated' && !/^\d{4}-\d{2}-\d{2}(?:-preview)?$/.test(c.req.query('api-version') ?? '')) {
        throw resourceNotFound(style, c.req.method, c.req.path);
      }
      // A path that names a deployment is judged before the body is looked at.
      if (deployment !== undefined) checkDeployment(deployment, operation, style);
      const body = await operation.parse(exchange);
      const name = deployment ?? operation.modelOf(body);
      if (name === undefined) throw invalidRequest('you must provide a model parameter', null, null);
      checkDeployment(name, operation, style);
      await operation.answer(exchange, world, name, body);
    });
  }

  async function identity(c: ModelContext, form: 'app-service' | 'imds') {
    return await exchanging(c, 'token', 'azure-v1', async (exchange) => answerIdentity(exchange, world, form));
  }

  /** Answers on the raw connection: refusals with the API's own body, and whatever is not foreseen with its 500. */
  async function exchanging(
    c: ModelContext,
    endpoint: Endpoint,
    style: ApiStyle,
    answer: (exchange: Exchange) => Promise<void>,
  ): Promise<Response> {
    const exchange = await Exchange.receive(c.env.incoming, c.env.outgoing, world.log, endpoint, style);
    if (exchange === undefined) return RESPONSE_ALREADY_SENT;
    try {
      await answer(exchange);
    } catch (error) {
      if (c.env.outgoing.headersSent) {
        exchange.cut();
      } else if (error instanceof ApiError) {
        exchange.fail(error, endpoint === 'token' ? {} : answerHeaders(style));
      } else {
        exchange.json(500, { error: { message: String(error), type: 'sandbox_error', param: null, code: null } });
      }
    }
    return RESPONSE_ALREADY_SENT;
  }
}

function checkDeployment<Body>(name: string, operation: Operation<Body>, style: ApiStyle): void {
  const kind = DEPLOYMENTS.get(name);
  if (kind === undefined) throw deploymentNotFound(style, name);
  if ((kind === 'chat') !== (operation.endpoint === 'chat')) throw wrongKindOfModel(style, operation.name, name);
}
