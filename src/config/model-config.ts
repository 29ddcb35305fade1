import type { Env, Variable } from './env.ts';
import type { Findings } from './problems.ts';
import { Secret } from './secret.ts';
import { readBaseUrl, withoutSlash } from './url.ts';

/** Which model answers, and how to sign in to it. */
export type ModelConfig =
  | { readonly kind: 'sandbox' }
  | {
      readonly kind: 'azure';
      /** The resource's address without a slash at its end: `https://NAME.openai.azure.com`. */
      readonly endpoint: string;
      readonly deployment: string;
      /** Set: the dated path with `api-version`. `undefined`: the `/openai/v1` path. */
      readonly apiVersion: string | undefined;
      readonly auth: AzureAuth;
    }
  | {
      readonly kind: 'compatible';
      /** Without a slash at its end; what follows it is `/chat/completions`. */
      readonly baseUrl: string;
      readonly apiKey: Secret | undefined;
      readonly model: string;
    };

type AzureAuth =
  /** Microsoft Entra ID: a managed identity, or whoever is signed in. */
  { readonly kind: 'entra'; readonly scope: string } | { readonly kind: 'key'; readonly key: Secret };

const AZURE_EXAMPLE = 'https://NAME.openai.azure.com';
const DEFAULT_SCOPE = 'https://cognitiveservices.azure.com/.default';
const OPENAI_URL = 'https://api.openai.com/v1';

const AZURE_NEEDS = ['AZURE_OPENAI_ENDPOINT', 'AZURE_OPENAI_DEPLOYMENT_NAME'] as const;
const AZURE_ALSO = ['OPENAI_API_VERSION', 'AZURE_OPENAI_API_KEY', 'AZURE_OPENAI_SCOPE'] as const;
const COMPATIBLE = ['OPENAI_BASE_URL', 'OPENAI_API_KEY', 'OPENAI_MODEL'] as const;

/** The variables of both groups. */
export const MODEL_VARIABLES = [...AZURE_NEEDS, ...AZURE_ALSO, ...COMPATIBLE] as const;

/**
 * Reads the two groups of model settings. A complete Azure group wins over `OPENAI_*`, whatever state that is in: such
 * variables are often left in a shell by other programs. A half-set group that would be used is a problem.
 */
export function readModel(env: Env, findings: Findings): ModelConfig {
  const azure = readAzure(env, findings);
  const others = COMPATIBLE.filter((name) => env[name]);
  if (azure) {
    if (others.length > 0) {
      findings.notice('warn', { ignored: others }, 'two model providers are set: Azure OpenAI is used');
    }
    return azure;
  }
  return (others.length > 0 && readCompatible(env, findings)) || { kind: 'sandbox' };
}

function readAzure(env: Env, findings: Findings): ModelConfig | undefined {
  const endpoint = env.AZURE_OPENAI_ENDPOINT;
  const deployment = env.AZURE_OPENAI_DEPLOYMENT_NAME;
  const present = [...AZURE_NEEDS, ...AZURE_ALSO].filter((name) => env[name]);
  const missing = AZURE_NEEDS.filter((name) => !env[name]);
  const url = endpoint ? readEndpoint(endpoint, findings) : undefined;
  checkVersion(env.OPENAI_API_VERSION, findings);
  checkScope(env.AZURE_OPENAI_SCOPE, findings);
  checkKey('AZURE_OPENAI_API_KEY', env.AZURE_OPENAI_API_KEY, findings);
  if (deployment && /[\s/?#]/.test(deployment)) {
    findings.problem('AZURE_OPENAI_DEPLOYMENT_NAME', 'is not a name: write only what the deployment is called');
  }
  if (present.length > 0 && missing.length > 0) {
    const beside = present.join(', ');
    for (const name of missing) findings.problem(name, `is missing beside ${beside}: ${AZURE_ADVICE[name]}`);
  }
  if (!endpoint || !deployment) return undefined;
  return {
    kind: 'azure',
    endpoint: url ? withoutSlash(url) : '',
    deployment,
    apiVersion: env.OPENAI_API_VERSION,
    auth: readAzureAuth(env, findings),
  };
}

const AZURE_ADVICE = {
  AZURE_OPENAI_ENDPOINT: `set the resource's address, like ${AZURE_EXAMPLE}, or unset the rest`,
  AZURE_OPENAI_DEPLOYMENT_NAME: 'set what the deployment is called, for example gpt-audio-1.5, or unset the rest',
} as const satisfies Partial<Record<Variable, string>>;

function readEndpoint(value: string, findings: Findings): URL | undefined {
  const variable = 'AZURE_OPENAI_ENDPOINT';
  if (
    URL.canParse(value) &&
    /\/openai\/deployments\/|\/(chat|audio)\/|\/api\/projects\//.test(new URL(value).pathname)
  ) {
    findings.problem(
      variable,
      `is more than the resource's address: write it like ${AZURE_EXAMPLE} and put the deployment in AZURE_OPENAI_DEPLOYMENT_NAME`,
    );
    return undefined;
  }
  const url = readBaseUrl(variable, value, 'loopback', AZURE_EXAMPLE, findings);
  // The portal shows the address with this ending in some places and without it in others.
  if (url) url.pathname = url.pathname.replace(/\/openai(\/v1)?$/, '');
  return url;
}

function checkVersion(value: string | undefined, findings: Findings): void {
  if (value && !/^\d{4}-\d{2}-\d{2}(-preview)?$/.test(value)) {
    findings.problem(
      'OPENAI_API_VERSION',
      'is not a version such as 2025-01-01-preview: correct it, or unset it to use the newer path, which needs none',
    );
  }
}

function checkScope(value: string | undefined, findings: Findings): void {
  if (value && !(URL.canParse(value) && /^(https|api):\/\/[^\s?#]+\/\.default$/.test(value))) {
    findings.problem('AZURE_OPENAI_SCOPE', `is not a token scope: write it like ${DEFAULT_SCOPE}`);
  }
}

function readAzureAuth(env: Env, findings: Findings): AzureAuth {
  const key = env.AZURE_OPENAI_API_KEY;
  if (!key) return { kind: 'entra', scope: env.AZURE_OPENAI_SCOPE ?? DEFAULT_SCOPE };
  const ignored = env.AZURE_OPENAI_SCOPE ? { ignored: ['AZURE_OPENAI_SCOPE'] } : {};
  findings.notice(
    'warn',
    { variable: 'AZURE_OPENAI_API_KEY', ...ignored },
    'a key is set, so it is used: signing in without a key (Microsoft Entra ID) is recommended',
  );
  return { kind: 'key', key: new Secret(key) };
}

function readCompatible(env: Env, findings: Findings): ModelConfig | undefined {
  const { OPENAI_BASE_URL: address, OPENAI_API_KEY: key, OPENAI_MODEL: model } = env;
  const url = address
    ? readBaseUrl('OPENAI_BASE_URL', address, 'any', 'https://HOST/v1', findings)
    : new URL(OPENAI_URL);
  if (url && /\/(chat\/completions|audio\/\w+)$/.test(url.pathname)) {
    findings.problem('OPENAI_BASE_URL', `is a whole request's address: write it like ${OPENAI_URL}`);
  }
  checkKey('OPENAI_API_KEY', key, findings);
  if (!model) {
    const beside = COMPATIBLE.filter((name) => env[name]).join(', ');
    findings.problem(
      'OPENAI_MODEL',
      `is missing beside ${beside}: set it, for example gpt-audio-1.5, or unset the rest`,
    );
    return undefined;
  }
  if (!key && url?.hostname === new URL(OPENAI_URL).hostname) {
    findings.problem(
      'OPENAI_API_KEY',
      'is missing beside OPENAI_MODEL: set it for OpenAI itself, or set OPENAI_BASE_URL for another server',
    );
  }
  return {
    kind: 'compatible',
    baseUrl: url ? withoutSlash(url) : '',
    apiKey: key ? new Secret(key) : undefined,
    model,
  };
}

function checkKey(variable: Variable, key: string | undefined, findings: Findings): void {
  // A header cannot carry anything else.
  if (key && !/^[\x21-\x7e]+$/.test(key)) {
    findings.problem(variable, 'holds blanks or characters that no key has: copy it again');
  }
}
