import { AzureOpenAI, OpenAI, type AzureClientOptions, type ClientOptions } from 'openai';
import type { TokenCredential } from '@azure/identity';

import type { Log } from '../telemetry/log.ts';
import type { Clock } from '../time/clock.ts';
import { EntraTokens } from './entra.ts';
import { keepAliveFetch } from './keep-alive.ts';
import { TranscriptForms } from './transcript-forms.ts';

/** A deployment on an Azure OpenAI resource. */
interface AzureOptions {
  readonly kind: 'azure';
  /** `https://RESOURCE.openai.azure.com`, with or without `/openai` or `/openai/v1` after it. */
  readonly endpoint: string;
  readonly deployment: string;
  /** Set: the dated path `/openai/deployments/{name}/…?api-version=…`. Unset: the `/openai/v1` path. */
  readonly apiVersion: string | undefined;
  readonly auth: { readonly kind: 'entra'; readonly scope: string } | { readonly kind: 'key'; readonly key: string };
  /** Deployment for `/audio/transcriptions`; without one the conversation model writes down what it hears. */
  readonly transcribeModel: string | undefined;
}

/** Any other server with the same API, OpenAI's own included. */
interface CompatibleOptions {
  readonly kind: 'compatible';
  /** Up to and including `/v1`. */
  readonly baseUrl: string;
  /** Without one no `Authorization` header is sent. */
  readonly apiKey: string | undefined;
  readonly model: string;
  readonly transcribeModel: string | undefined;
}

export type ProviderOptions = AzureOptions | CompatibleOptions;

/** What a sentence for the operator may say about the provider: no secret in it. */
export interface ProviderFacts {
  readonly kind: 'azure' | 'compatible';
  /** Host and port. */
  readonly host: string;
  readonly model: string;
  /** The setting that names the model. */
  readonly modelVariable: string;
  readonly auth: 'entra' | 'key' | 'none';
}

/** The model behind `/audio/transcriptions`. */
export interface TranscriptionEndpoint {
  readonly model: string;
  readonly forms: TranscriptForms;
}

/** Where the model is, which one it is, and how to be let in: all that differs between providers. */
export interface Provider {
  /** Knows the base URL and the path style, and sends the credentials. */
  readonly client: OpenAI;
  readonly origin: string;
  readonly model: string;
  /** Where speech is written down; `undefined`: the conversation model does it. */
  readonly transcription: TranscriptionEndpoint | undefined;
  readonly facts: ProviderFacts;
  /** Makes sure that there are credentials, so that the request itself does not wait for them. @throws {SignInError} */
  signIn(): Promise<void>;
}

export interface ProviderParts {
  readonly clock: Clock;
  readonly log: Log;
  /** How to sign in to Entra ID; by default every way that `DefaultAzureCredential` knows. */
  readonly credential?: TokenCredential;
  /** Milliseconds since the epoch. */
  readonly wallClockMs?: () => number;
}

/**
 * The SDK fills what it is not told from variables of its own (`OPENAI_BASE_URL`, `OPENAI_API_KEY`, `OPENAI_ORG_ID`,
 * `OPENAI_LOG` and more) and throws when they contradict what it is told. Everything is told here, so that the
 * environment changes nothing. No retries and a time-out that never comes first: both are ours.
 */
const CLOSED_TO_ENVIRONMENT = {
  adminAPIKey: null,
  organization: null,
  project: null,
  webhookSecret: null,
  logLevel: 'off',
  maxRetries: 0,
  timeout: 600_000,
} as const satisfies ClientOptions;

/** Makes a provider of its options. Opens no connection and loads no credential yet. */
export function createProvider(options: ProviderOptions, parts: ProviderParts): Provider {
  return options.kind === 'azure' ? azureProvider(options, parts) : compatibleProvider(options, parts);
}

function azureProvider(options: AzureOptions, parts: ProviderParts): Provider {
  const { auth, apiVersion, deployment, transcribeModel } = options;
  const endpoint = options.endpoint.replace(/\/+$/, '').replace(/\/openai(\/v1)?$/, '');
  const tokens = auth.kind === 'entra' ? new EntraTokens({ ...parts, scope: auth.scope }) : undefined;
  const token = tokens === undefined ? undefined : () => tokens.token();
  const key = auth.kind === 'key' ? auth.key : undefined;
  const fetch = keepAliveFetch(parts.clock);
  const client =
    apiVersion === undefined
      ? new SealedOpenAI({ baseURL: `${endpoint}/openai/v1`, apiKey: token ?? key ?? '', fetch })
      : new SealedAzureOpenAI({
          baseURL: `${endpoint}/openai`,
          apiVersion,
          apiKey: key ?? '',
          azureADTokenProvider: token,
          fetch,
        });
  return {
    client,
    origin: new URL(endpoint).origin,
    model: deployment,
    transcription: endpointOf(transcribeModel),
    facts: {
      kind: 'azure',
      host: new URL(endpoint).host,
      model: deployment,
      modelVariable: 'AZURE_OPENAI_DEPLOYMENT_NAME',
      auth: auth.kind,
    },
    async signIn() {
      await token?.();
    },
  };
}

function compatibleProvider(options: CompatibleOptions, parts: ProviderParts): Provider {
  const { baseUrl, apiKey, model, transcribeModel } = options;
  const fetch = keepAliveFetch(parts.clock);
  const client =
    apiKey === undefined
      ? // The SDK insists on a key; a header set to null is the documented way to send none.
        new SealedOpenAI({ baseURL: baseUrl, apiKey: 'none', defaultHeaders: { Authorization: null }, fetch })
      : new SealedOpenAI({ baseURL: baseUrl, apiKey, fetch });
  const { origin, host } = new URL(baseUrl);
  return {
    client,
    origin,
    model,
    transcription: endpointOf(transcribeModel),
    facts: {
      kind: 'compatible',
      host,
      model,
      modelVariable: 'OPENAI_MODEL',
      auth: apiKey === undefined ? 'none' : 'key',
    },
    async signIn() {},
  };
}

function endpointOf(model: string | undefined): TranscriptionEndpoint | undefined {
  return model === undefined ? undefined : { model, forms: new TranscriptForms(model) };
}

class SealedOpenAI extends OpenAI {
  constructor(options: ClientOptions) {
    super({ ...CLOSED_TO_ENVIRONMENT, ...options });
    // `OPENAI_CUSTOM_HEADERS` can only be undone afterwards: the constructor merges it into the headers it is given.
    this._options.defaultHeaders = options.defaultHeaders;
  }
}

class SealedAzureOpenAI extends AzureOpenAI {
  constructor(options: AzureClientOptions) {
    super({ ...CLOSED_TO_ENVIRONMENT, ...options });
    this._options.defaultHeaders = options.defaultHeaders;
  }
}
