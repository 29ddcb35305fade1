import type { Clock } from '../../time/clock.ts';
import type { ModelControl, SandboxEvent } from '../control/protocol.ts';

/** The sandbox's model server as the rest of the sandbox sees it. */
export interface ModelService extends AsyncDisposable {
  /**
   * Origin, `http://127.0.0.1:PORT`. Serves `/openai/deployments/{name}/…?api-version=…`, `/openai/v1/…` and `/v1/…`, and
   * the managed-identity endpoints that `@azure/identity` asks.
   */
  readonly url: string;
  /** The API key it accepts, as `api-key` header or bearer. */
  readonly apiKey: string;
  /** The value it wants in `X-IDENTITY-HEADER` (App Service managed identity; `IDENTITY_ENDPOINT` is `{url}/msi/token`). */
  readonly identityHeader: string;
  /** Deployments (models) that exist. `gpt-audio-1.5` is one. */
  readonly deployments: readonly string[];
  readonly methods: ModelControl;
}

export interface ModelServiceOptions {
  readonly emit: (event: SandboxEvent) => void;
  /** Default: this process's monotonic clock. */
  readonly clock?: Clock;
  /** Life of the tokens that the managed-identity endpoint issues. Default one day, as Azure's. */
  readonly tokenLifeMs?: number;
}
