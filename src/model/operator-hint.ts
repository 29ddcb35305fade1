import type { ProviderFacts } from './provider.ts';

export type HintTopic =
  | 'unreachable'
  | 'truncated'
  | 'malformed'
  | 'wrong-key'
  | 'no-key'
  | 'token-refused'
  | 'not-permitted'
  | 'forbidden'
  | 'no-deployment'
  | 'retired'
  | 'too-large'
  | 'too-long'
  | 'busy'
  | 'no-quota'
  | 'refused'
  | 'server-fault'
  | 'filtered'
  | 'filter-down'
  | 'audio-not-found'
  | 'unsupported-audio';

/** One plain sentence or two for the log: what happened, and what to check. Never a secret, never what people said. */
export function operatorHint(topic: HintTopic, provider: ProviderFacts, code?: string): string {
  const azure = provider.kind === 'azure';
  return HINTS[topic]({
    host: provider.host,
    model: `${azure ? 'deployment' : 'model'} "${provider.model}" (${provider.modelVariable})`,
    address: azure ? 'AZURE_OPENAI_ENDPOINT' : 'OPENAI_BASE_URL',
    path: azure ? 'AZURE_OPENAI_ENDPOINT and OPENAI_API_VERSION' : 'OPENAI_BASE_URL',
    key: azure ? 'AZURE_OPENAI_API_KEY' : 'OPENAI_API_KEY',
    code: code === undefined ? '' : ` (${code})`,
  });
}

/** The words that differ between providers. */
interface Words {
  readonly host: string;
  readonly model: string;
  readonly address: string;
  readonly path: string;
  readonly key: string;
  readonly code: string;
}

const ROLE =
  'the role "Cognitive Services OpenAI User" on the Azure OpenAI resource (a new one takes about five minutes)';

const HINTS: Record<HintTopic, (words: Words) => string> = {
  unreachable: ({ host, code, address }) =>
    `No answer from ${host}${code}: check ${address}, the name's DNS entry, and that this machine may connect to it.`,
  truncated: ({ host, code }) =>
    `The reply from ${host} broke off${code}: check proxies and the network between here and there.`,
  malformed: ({ host, address, model }) =>
    `What ${host} answers is not the API with audio: check that ${address} is the API's address and that ${model} can speak.`,
  'wrong-key': ({ host, key, address }) => `${host} refuses the key: check ${key}, and that it belongs to ${address}.`,
  'no-key': ({ host, key }) => `${host} wants a key: set ${key}.`,
  'token-refused': ({ host }) =>
    `${host} refuses the access token: check that the identity has ${ROLE}, AZURE_OPENAI_SCOPE and the tenant.`,
  'not-permitted': ({ host }) =>
    `The identity may not use ${host}: give it ${ROLE}, and check the resource's network rules.`,
  forbidden: ({ host, code }) =>
    `${host} does not let this key in${code}: check the resource's network rules and whether it allows keys at all.`,
  'no-deployment': ({ host, model, code, path }) =>
    `${host} has no ${model} that can do this${code}: check the name, ${path}.`,
  retired: ({ model }) =>
    `The model behind ${model} is retired: deploy its successor, such as gpt-audio-1.5, and use that name.`,
  'too-large': ({ host, code }) => `The request has more audio in it than ${host} takes${code}.`,
  'too-long': ({ model }) => `The conversation has more tokens than ${model} takes: keep less history.`,
  busy: ({ host, model }) => `${host} is at its limit: if this lasts, raise the quota of ${model}.`,
  'no-quota': ({ host }) => `The account at ${host} has used up its quota: check its plan and billing.`,
  refused: ({ host, code, model }) =>
    `${host} refuses the request${code}: check that ${model} is a chat model with audio input and output.`,
  'server-fault': ({ host, code }) => `${host} failed${code}: if this lasts, look at the service's health page.`,
  filtered: ({ host }) =>
    `The content filter of ${host} refused what was said: the resource's filter settings decide that.`,
  'filter-down': ({ host }) =>
    `The content filter of ${host} did not run, so the reply is withheld: look at the service's health page.`,
  'audio-not-found': ({ host }) => `${host} no longer has an earlier reply; it is sent as text instead.`,
  'unsupported-audio': ({ host, code }) => `${host} cannot use the audio it was sent${code}.`,
};
