import { setDefaultCACertificates, getCACertificates } from 'node:tls';

import { commands } from '../commands/index.ts';
import { Mp3Encoder } from './audio/mp3.ts';
import { VoiceActivityDetector } from './audio/vad.ts';
import type { Config } from './config/config.ts';
import { Call } from './conversation/call.ts';
import { SPECULATION } from './conversation/call-parts.ts';
import { SettingsOfChannels } from './conversation/channel-settings.ts';
import { Chat } from './conversation/chat.ts';
import { Keeping } from './conversation/keeping.ts';
import { Memory } from './conversation/memory.ts';
import { TurnStats } from './conversation/turn-stats.ts';
import { FIXED_RULE } from './conversation/turn-detector.ts';
import { createClient, followGateway, onRefusal, signIn } from './discord/client.ts';
import { Interactions } from './discord/interactions.ts';
import { Jobs } from './discord/jobs.ts';
import { followServers, tellCutOff } from './discord/keeping-events.ts';
import { Mentions } from './discord/mentions.ts';
import { Narrations } from './discord/narrations.ts';
import { registerCommands } from './discord/register.ts';
import type { StartCall } from './discord/start-call.ts';
import { Transcriptions } from './discord/transcriptions.ts';
import { VoiceCalls } from './discord/voice-calls.ts';
import { AttachedSpeech } from './files/attached-speech.ts';
import { KeptWork } from './files/kept-work.ts';
import { deleteLeftFiles } from './files/temporary-file.ts';
import { Transcriber } from './files/transcriber.ts';
import { ChatCompletionsModel } from './model/chat-completions.ts';
import { checkModel, checkTranscription } from './model/check.ts';
import { FILE_FORMATS } from './model/model.ts';
import { createProvider, type ProviderOptions } from './model/provider.ts';
import { Documents } from './narration/documents.ts';
import { Reader } from './narration/reader.ts';
import type { Sandbox } from './sandbox/sandbox.ts';
import { openStore, type StoreLocation } from './store/open-store.ts';
import { followStore } from './store/store-readiness.ts';
import { startHealthServer } from './telemetry/health.ts';
import type { Log } from './telemetry/log.ts';
import { Readiness } from './telemetry/readiness.ts';
import { monotonicClock, type Clock } from './time/clock.ts';

/** How long commands that are running may take to finish when Parley is told to stop. */
const SETTLE_MS = 4000;

/** How long those that are left may take to end then; nobody who is in a call is to wait for them. */
const GIVE_UP_MS = 1500;

/** How long Discord may take over what is still to be said then; after that it stays unsaid. */
const SAY_GOODBYE_MS = 7000;

/** The bot, running. Disposing it leaves every call, finishes what is being said in writing, and signs out. */
export interface App extends AsyncDisposable {
  /** The embedded Discord and model, when something was not configured. */
  readonly sandbox: Sandbox | undefined;
  readonly botId: string;
}

/**
 * Puts the parts together and starts them.
 * @param fail Called when the bot cannot go on, such as when Discord takes its token away.
 * @param clock For everything that waits or is paced.
 * @throws {DiscordSignInError | DiscordUnreachableError | ModelError | HealthPortError} when it cannot start.
 */
export async function startApp(
  config: Config,
  log: Log,
  signal: AbortSignal,
  fail: (error: Error) => void,
  clock: Clock = monotonicClock,
): Promise<App> {
  await using parts = new AsyncDisposableStack();
  const readiness = new Readiness();
  const [discordPart, modelPart] = [readiness.part('discord'), readiness.part('model')];
  if (config.healthPort !== undefined) {
    parts.use(await startHealthServer({ port: config.healthPort, readiness: () => readiness.report() }));
  }

  await deleteLeftFiles(log);
  const sandbox =
    config.discord.kind === 'sandbox' || config.model.kind === 'sandbox' ? parts.use(await startSandbox()) : undefined;
  const discord =
    config.discord.kind === 'server'
      ? { token: config.discord.token.reveal(), apiUrl: config.discord.apiUrl, hosts: config.attachmentHosts }
      : sandboxDiscord(sandbox);

  const store = parts.use(openStore({ location: locationOf(config), keys: config.memory.keys?.reveal(), clock, log }));
  followStore(store, readiness.part('store'), log);

  const provider = createProvider(providerOptions(config, sandbox), { clock, log });
  const modelParts = { provider, clock, log };
  const wrong = (await checkModel(modelParts, signal)) ?? (await checkTranscription(modelParts, signal));
  if (wrong) throw wrong;
  modelPart.ready();
  const model = new ChatCompletionsModel(modelParts);

  const closing = new AbortController();
  const client = createClient(discord.apiUrl, log, closing.signal);
  parts.defer(async () => {
    closing.abort();
    await client.destroy();
  });
  const bot = await signIn(client, discord.token, signal);
  parts.use(onRefusal(client, fail));

  const stopping = new AbortController();
  const memory: Memory = parts.use(
    new Memory({
      store,
      model,
      botName: bot.user.displayName,
      tokenBudget: config.memory.tokenBudget,
      hasOptedOut: (personId) => keeping.hasOptedOut(personId),
      clock,
      log,
    }),
  );
  const settings = new SettingsOfChannels({
    store: store.settings,
    defaults: config.talk,
    voices: config.talk.voices,
    onChange: (channelId) => calls.settingsChanged(channelId),
    log,
  });
  const voiceOf = async (channelId: string): Promise<string> => (await settings.load(channelId)).voice;
  const chat = new Chat({ model, memory, voiceOf, log });
  const [createVoiceActivity, createEncoder] = await Promise.all([VoiceActivityDetector.load(), Mp3Encoder.load()]);
  const startCall: StartCall = (call, callSignal) =>
    new Call(
      {
        ...call,
        model,
        memory,
        onSpeech: () => void model.warm(callSignal),
        rule: { ...FIXED_RULE, silenceMs: config.talk.turnSilenceMs ?? FIXED_RULE.silenceMs },
        adapts: config.talk.turnSilenceMs === undefined,
        speculation: config.talk.speculates ? SPECULATION : undefined,
        names: config.talk.names ?? [bot.user.displayName],
        createVoiceActivity,
        createEncoder,
        clock,
      },
      callSignal,
    );
  const stats = new TurnStats();
  const keeping = parts.use(
    new Keeping({
      store,
      memory,
      ...config.memory,
      onChoice: (personId, optedOut) => calls.choseHearing(personId, optedOut),
      onAbandoned: (turn) => tellCutOff(client, turn.shownIn),
      clock,
      log,
    }),
  );
  const calls = parts.use(
    new VoiceCalls({
      client,
      startCall,
      mayHear: (personId) => keeping.mayHear(personId),
      settings,
      stats,
      clock,
      log,
    }),
  );
  followServers(client, keeping, settings);
  await keeping.start();
  const work = parts.use(new KeptWork({ store: store.jobs, clock, log, signal: stopping.signal }));
  const jobs = new Jobs();
  const transcriber = new Transcriber({
    model,
    fileFormats: provider.transcription ? FILE_FORMATS : [],
    hosts: discord.hosts,
    ffmpeg: config.ffmpeg,
    clock,
    log,
  });
  const transcriptions = new Transcriptions({
    client: bot,
    transcriber,
    jobs,
    work,
    clock,
    log,
    signal: stopping.signal,
  });
  const files = new AttachedSpeech({ hosts: discord.hosts, clock, ffmpeg: config.ffmpeg });
  const reader = new Reader({ model, voice: config.talk.voice, clock, log });
  const narrations = new Narrations({
    client: bot,
    reader,
    createEncoder,
    confirmFromMs: config.narrateConfirmMs,
    jobs,
    work,
    clock,
    log,
    signal: stopping.signal,
  });
  const interactions = new Interactions(
    {
      calls,
      chat,
      settings,
      stats,
      keeping,
      reader,
      narrations,
      documents: new Documents({ hosts: discord.hosts, clock }),
      voiceOf,
      transcriptions,
      jobs,
      clock,
      commands,
      speechOf: (attachment, signal) => files.speechOf(attachment, signal),
      signal: stopping.signal,
    },
    log,
  );
  const mentions = new Mentions({ calls, chat, keeping, files, signal: stopping.signal, log });
  parts.defer(() => settled([interactions, mentions], stopping, clock));
  interactions.listen(client);
  mentions.listen(bot);
  await registerCommands(bot, commands, log);
  work.goOn('transcription', transcriptions.handler);
  work.goOn('narration', narrations.handler);
  followGateway(client, discordPart);
  log.info({ guilds: bot.guilds.cache.size }, 'ready');

  const running = parts.move();
  return {
    sandbox,
    botId: bot.user.id,
    [Symbol.asyncDispose]: async () => {
      using _ = clock.after(SAY_GOODBYE_MS, () => closing.abort());
      await running.disposeAsync();
    },
  };
}

function locationOf({ database }: Config): StoreLocation {
  return database.kind === 'sqlite' ? database : { kind: 'postgres', url: database.url.reveal() };
}

/** Lets what is being answered finish, but not for ever: what is left is told that Parley stops, and then left alone. */
async function settled(
  answering: readonly { settled(): Promise<void> }[],
  stopping: AbortController,
  clock: Clock,
): Promise<void> {
  const late = Promise.withResolvers<void>();
  using _abort = clock.after(SETTLE_MS, () => stopping.abort());
  using _late = clock.after(SETTLE_MS + GIVE_UP_MS, late.resolve);
  await Promise.race([Promise.all(answering.map((one) => one.settled())), late.promise]);
  // Work from before this start is not among them.
  stopping.abort();
}

/** Loaded only where it is wanted: it takes 16 MB. */
async function startSandbox(): Promise<Sandbox> {
  const { Sandbox } = await import('./sandbox/sandbox.ts');
  return Sandbox.start();
}

/** The sandbox's Discord, whose voice server has a certificate made a moment ago. */
function sandboxDiscord(sandbox: Sandbox | undefined): {
  token: string;
  apiUrl: string;
  hosts: Config['attachmentHosts'];
} {
  if (!sandbox) throw new TypeError('there is no sandbox');
  setDefaultCACertificates([...getCACertificates('default'), sandbox.caPem]);
  const { token, apiUrl, cdnHost } = sandbox.discord;
  return { token, apiUrl, hosts: [{ protocol: 'http:', host: cdnHost }] };
}

function providerOptions({ model, transcribeModel }: Config, sandbox: Sandbox | undefined): ProviderOptions {
  switch (model.kind) {
    case 'azure': {
      const { auth } = model;
      return { ...model, transcribeModel, auth: auth.kind === 'key' ? { kind: 'key', key: auth.key.reveal() } : auth };
    }
    case 'compatible':
      return { ...model, transcribeModel, apiKey: model.apiKey?.reveal() };
    case 'sandbox':
      if (!sandbox) throw new TypeError('there is no sandbox');
      return {
        kind: 'azure',
        endpoint: sandbox.model.url,
        deployment: 'gpt-audio-1.5',
        apiVersion: undefined,
        auth: { kind: 'key', key: sandbox.model.apiKey },
        transcribeModel,
      };
  }
}
