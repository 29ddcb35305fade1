import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';

import { getRequestListener } from '@hono/node-server';

import { monotonicClock } from '../../time/clock.ts';
import type { ModelControl } from '../control/protocol.ts';
import type { Synthesizer } from '../speech.ts';
import { AudioIds } from './audio-ids.ts';
import { FaultQueue } from './faults.ts';
import { Mp3Decoder } from './mp3-decoder.ts';
import { RequestLog } from './records.ts';
import { modelRoutes } from './routes.ts';
import type { ModelService, ModelServiceOptions } from './service.ts';
import { TokenIssuer } from './tokens.ts';
import { DEFAULT_SETTINGS, DEPLOYMENTS, mergeSettings } from './world.ts';
import type { ModelWorld } from './world.ts';

/** Azure's managed-identity tokens live for a day. */
const TOKEN_LIFE_MS = 24 * 3_600_000;

/** Idle connections are kept this long. */
const KEEP_ALIVE_MS = 60_000;

/** Starts the sandbox's model on a loopback port of its own. Disposing it cuts what is still under way. */
export async function startModelServer(
  options: ModelServiceOptions & { readonly synthesizer: Synthesizer },
): Promise<ModelService> {
  const clock = options.clock ?? monotonicClock;
  const world: ModelWorld = {
    clock,
    synthesizer: options.synthesizer,
    mp3: new Mp3Decoder(),
    apiKey: `sandbox-${randomBytes(16).toString('hex')}`,
    identityHeader: randomBytes(16).toString('hex'),
    tokens: new TokenIssuer(clock, options.tokenLifeMs ?? TOKEN_LIFE_MS),
    audioIds: new AudioIds(clock),
    faults: new FaultQueue(),
    log: new RequestLog(clock, options.emit),
    settings: DEFAULT_SETTINGS,
  };
  // A failure to start is told to whoever sends an MP3.
  world.mp3.warmUp().catch(() => undefined);
  // The adapter would otherwise replace `Request` and `Response` for the whole process.
  const listener = getRequestListener(modelRoutes(world).fetch, { overrideGlobalObjects: false });
  const server = createServer((incoming, outgoing) => void listener(incoming, outgoing));
  // Node's 5 s would now and then close a connection that a client on a busy machine is just about to use again.
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('the model server has no port');

  return {
    url: `http://127.0.0.1:${address.port}`,
    apiKey: world.apiKey,
    identityHeader: world.identityHeader,
    deployments: [...DEPLOYMENTS.keys()],
    methods: controlMethods(world),
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
      await world.mp3[Symbol.asyncDispose]();
    },
  };
}

function controlMethods(world: ModelWorld): ModelControl {
  return {
    async setModel(change) {
      world.settings = mergeSettings(world.settings, change);
    },
    async modelFault({ fault, times, endpoint }) {
      world.faults.plan(fault, times, endpoint);
    },
    async modelRequests({ sinceMs, limit, sound }) {
      return world.log.snapshots(sinceMs ?? 0, limit, sound);
    },
    async expireAudio() {
      world.audioIds.forgetAll();
    },
  };
}
