import { z } from 'zod';
import type { ControlMethods } from './protocol.ts';

type ArgumentSchemas = {
  readonly [Method in keyof ControlMethods]: z.ZodType<Parameters<ControlMethods[Method]>[0]>;
};

const id = z.string().min(1);
const base64 = z.base64();
const count = z.int().min(0);
const milliseconds = z.number().min(0);
const rate = z.number().min(0).max(1).exactOptional();
const nothing = z.strictObject({}) satisfies z.ZodType<Record<string, never>>;
const upload = z.strictObject({
  name: z.string().min(1),
  contentType: z.string().exactOptional(),
  data: base64,
  claimedSize: count.exactOptional(),
});
const selfVoice = { selfMute: z.boolean().exactOptional(), selfDeaf: z.boolean().exactOptional() };
const inText = { personId: id, channelId: id };
const closeCode = z.int().min(1000).max(4999);
const when = z.union([count, z.literal('headers')]);
const endpoint = z.enum(['chat', 'transcription', 'token']).exactOptional();
const cipher = z.enum(['aead_aes256_gcm_rtpsize', 'aead_xchacha20_poly1305_rtpsize']);
const daveVersion = z.literal([0, 1]);

const gatewayFault = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('close'), code: closeCode }),
  z.strictObject({ kind: z.literal('cut') }),
  z.strictObject({ kind: z.literal('reconnect') }),
  z.strictObject({ kind: z.literal('invalid-session'), resumable: z.boolean() }),
  z.strictObject({ kind: z.literal('dispatch'), event: z.string(), data: z.unknown() }),
  z.strictObject({ kind: z.literal('raw'), text: z.string() }),
  z.strictObject({
    kind: z.literal('voice-server-update'),
    mode: z.enum(['withhold', 'null-endpoint']),
    times: count,
  }),
]);

const voiceFault = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('close'), code: closeCode }),
  z.strictObject({ kind: z.literal('cut') }),
  z.strictObject({ kind: z.literal('frame'), text: z.string().exactOptional(), binary: base64.exactOptional() }),
  z.strictObject({ kind: z.literal('datagrams'), from: z.enum(['server', 'stranger']), data: z.array(base64) }),
  z.strictObject({ kind: z.literal('drop-discovery'), times: count }),
  z.strictObject({ kind: z.literal('move-server') }),
  z.strictObject({ kind: z.literal('late-speaking'), delayMs: milliseconds, times: count }),
  z.strictObject({ kind: z.literal('wrong-key'), layer: z.enum(['transport', 'dave']), times: count }),
  z.strictObject({ kind: z.literal('dave-version'), version: daveVersion }),
]);

const modelFault = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('delay'), ms: milliseconds }),
  z.strictObject({
    kind: z.literal('status'),
    status: z.literal([400, 401, 403, 404, 408, 410, 429, 500, 502, 503]),
    retryAfterSecs: z.number().exactOptional(),
  }),
  z.strictObject({ kind: z.literal('misread'), words: z.string().min(1) }),
  z.strictObject({ kind: z.literal('stall'), afterChunks: when }),
  z.strictObject({ kind: z.literal('cut'), afterChunks: when }),
  ...(['no-end-marker', 'error-in-stream', 'filter-reply'] as const).map((kind) =>
    z.strictObject({ kind: z.literal(kind), afterChunks: count }),
  ),
  ...(
    [
      'html',
      'no-choices',
      'bad-json',
      'bad-base64',
      'odd-bytes',
      'filter-prompt',
      'filter-down',
      'audio-not-found',
    ] as const
  ).map((kind) => z.strictObject({ kind: z.literal(kind) })),
]);

/** What each method of the control API takes. A misspelt field is refused rather than ignored. */
export const METHOD_SCHEMAS = {
  world: nothing,
  createGuild: z.strictObject({ name: z.string().min(2).max(100) }),
  createChannel: z.strictObject({
    guildId: id,
    name: z.string().min(1).max(100),
    kind: z.enum(['text', 'voice', 'stage']),
    userLimit: z.int().min(0).max(99).exactOptional(),
  }),
  createPerson: z.strictObject({
    guildId: id,
    name: z.string().min(1).max(32),
    locale: z.string().exactOptional(),
    bot: z.boolean().exactOptional(),
  }),
  deleteChannel: z.strictObject({ channelId: id }),
  deleteGuild: z.strictObject({ guildId: id }),
  setGuildAvailable: z.strictObject({ guildId: id, available: z.boolean() }),
  setDenied: z.strictObject({
    channelId: id,
    userId: id,
    deny: z.array(z.string()),
    allow: z.array(z.string()).exactOptional(),
  }),
  moveMember: z.strictObject({ guildId: id, userId: id, channelId: id.nullable() }),
  setServerVoice: z.strictObject({
    guildId: id,
    userId: id,
    serverMute: z.boolean().exactOptional(),
    serverDeaf: z.boolean().exactOptional(),
    suppress: z.boolean().exactOptional(),
  }),
  gatewayFault,
  restFault: z.strictObject({
    route: z.string().min(1),
    times: count,
    status: z.union([z.literal(0), z.int().min(200).max(599)]),
    body: z.string().exactOptional(),
    headers: z.record(z.string(), z.string()).exactOptional(),
    delayMs: milliseconds.exactOptional(),
  }),
  restRequests: nothing,
  sendMessage: z.strictObject({ ...inText, content: z.string(), attachments: z.array(upload).exactOptional() }),
  sendVoiceMessage: z.strictObject({ ...inText, wav: base64 }),
  runCommand: z.strictObject({
    ...inText,
    command: z.string().min(1),
    options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), upload])).exactOptional(),
  }),
  runMessageCommand: z.strictObject({ ...inText, messageId: id, command: z.string().min(1) }),
  autocomplete: z.strictObject({ ...inText, command: z.string().min(1), option: z.string(), value: z.string() }),
  pressButton: z.strictObject({ ...inText, messageId: id, customId: z.string() }),
  selectOptions: z.strictObject({ ...inText, messageId: id, customId: z.string(), values: z.array(z.string()) }),
  submitModal: z.strictObject({ personId: id, interactionId: id, fields: z.record(z.string(), z.string()) }),
  interaction: z.strictObject({ interactionId: id }),
  ageInteraction: z.strictObject({ interactionId: id, byMs: milliseconds }),
  messages: z.strictObject({ channelId: id, personId: id.exactOptional() }),
  join: z.strictObject({ ...inText, ...selfVoice }),
  leave: z.strictObject({ personId: id }),
  setSelfVoice: z.strictObject({ personId: id, ...selfVoice }),
  speak: z.strictObject({ personId: id, wav: base64 }),
  stopSpeaking: z.strictObject({ personId: id }),
  synthesize: z.strictObject({ text: z.string().min(1), voice: z.enum(['slt', 'rms', 'awb', 'kal']).exactOptional() }),
  heard: z.strictObject({
    personId: id,
    fromUserId: id,
    sinceMs: z.number().exactOptional(),
    sound: z.boolean().exactOptional(),
  }),
  setNetwork: z.strictObject({
    seed: z.number(),
    lossRate: rate,
    duplicateRate: rate,
    reorderRate: rate,
    jitterMs: milliseconds.exactOptional(),
  }),
  voiceFault,
  setVoiceDefaults: z.strictObject({
    modes: z.array(cipher).min(1).exactOptional(),
    daveVersion: daveVersion.exactOptional(),
    daveRequired: z.boolean().exactOptional(),
  }),
  setModel: z.strictObject({
    firstAudioMs: milliseconds.exactOptional(),
    chunkMs: z.number().positive().exactOptional(),
    speed: z.number().positive().exactOptional(),
    audioLifeMs: milliseconds.exactOptional(),
    reply: z.string().nullable().exactOptional(),
    leadingSilenceMs: milliseconds.exactOptional(),
    textOnly: z.boolean().exactOptional(),
    declines: z.boolean().exactOptional(),
  }),
  modelFault: z.strictObject({ fault: modelFault, times: count, endpoint }),
  modelRequests: z.strictObject({
    sinceMs: z.number().exactOptional(),
    limit: count.exactOptional(),
    sound: z.boolean().exactOptional(),
  }),
  expireAudio: nothing,
} satisfies ArgumentSchemas;
