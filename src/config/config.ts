import { readDiscord, type DiscordConfig } from './discord-config.ts';
import { readDatabase, type DatabaseConfig } from './database-config.ts';
import { readAttachmentHosts, type AttachmentHost } from './attachment-hosts.ts';
import { VARIABLES, type Env } from './env.ts';
import { readMemory, type MemoryConfig } from './memory-config.ts';
import { MODEL_VARIABLES, readModel, type ModelConfig } from './model-config.ts';
import { wholeNumber } from './whole-number.ts';
import { ConfigError, Findings, type Notice } from './problems.ts';
import { readTalk, type TalkConfig } from './talk-config.ts';

/** Everything that can be set from outside, checked. */
export interface Config {
  readonly discord: DiscordConfig;
  readonly model: ModelConfig;
  /** Deployment or model for `/audio/transcriptions`. `undefined`: the conversation's model transcribes. */
  readonly transcribeModel: string | undefined;
  readonly talk: TalkConfig;
  readonly database: DatabaseConfig;
  readonly memory: MemoryConfig;
  /** A narration that is longer begins only once somebody has pressed a button, in milliseconds of sound. */
  readonly narrateConfirmMs: number;
  /** Where attachments may be fetched from. The sandbox's own host is not in it. */
  readonly attachmentHosts: readonly AttachmentHost[];
  readonly logLevel: LogLevel;
  /** Port of the health server, 0 for any free one. `undefined`: no health server. */
  readonly healthPort: number | undefined;
  /** The program that decodes what Parley cannot: its name or path. It need not be there. */
  readonly ffmpeg: string;
  /** To be logged once the logger exists. */
  readonly notices: readonly Notice[];
}

const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;

type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * Turns raw values into a {@link Config}.
 * @throws {ConfigError} with every problem at once.
 */
export function parseConfig(raw: Env): Config {
  const findings = new Findings();
  const env = withoutQuotes(raw, findings);
  const discord = readDiscord(env, findings);
  const model = readModel(env, findings);
  checkSandbox(env, findings);
  const config: Config = {
    discord,
    model,
    transcribeModel: readTranscribeModel(env, model, findings),
    talk: readTalk(env, findings),
    database: readDatabase(env.DATABASE_URL, findings),
    memory: readMemory(env, findings),
    narrateConfirmMs:
      60_000 * wholeNumber('NARRATE_CONFIRM_MINUTES', { from: 0, to: 10_000, otherwise: 10 }, env, findings),
    attachmentHosts: readAttachmentHosts(env.ATTACHMENT_HOSTS, findings),
    logLevel: readLogLevel(env.LOG_LEVEL, findings),
    healthPort: readHealthPort(env.HEALTH_PORT, findings),
    ffmpeg: env.FFMPEG ?? 'ffmpeg',
    notices: findings.notices,
  };
  if (findings.problems.length > 0) throw new ConfigError(findings.problems);
  return config;
}

/** Every secret value in the settings, for the logger to keep out of what it writes. */
export function secretsOf(config: Config): readonly string[] {
  const { discord, model, database, memory } = config;
  const secrets: string[] = [];
  if (discord.kind === 'server') secrets.push(discord.token.reveal());
  if (model.kind === 'azure' && model.auth.kind === 'key') secrets.push(model.auth.key.reveal());
  if (model.kind === 'compatible' && model.apiKey) secrets.push(model.apiKey.reveal());
  if (memory.keys) secrets.push(memory.keys.reveal());
  if (database.kind === 'postgres') {
    const url = new URL(database.url.reveal());
    secrets.push(database.url.reveal(), url.password, decodeURIComponent(url.password));
  }
  return secrets.filter((secret) => secret !== '');
}

/** Shells take quotation marks off; `docker run --env-file` leaves them on, and nothing then works. */
function withoutQuotes(env: Env, findings: Findings): Env {
  const bare: Record<string, string | undefined> = { ...env };
  for (const variable of VARIABLES) {
    const inside = /^(["'])(.*)\1$/s.exec(env[variable] ?? '')?.[2];
    if (inside === undefined) continue;
    findings.problem(variable, 'stands in quotation marks, which are taken as part of it: leave them out');
    bare[variable] = inside;
  }
  return bare;
}

function checkSandbox(env: Env, findings: Findings): void {
  const mode = env.SANDBOX ?? 'auto';
  if (mode !== 'auto' && mode !== 'never') {
    findings.problem('SANDBOX', 'is neither "auto" (fill in what is not set) nor "never"');
  }
  if (mode !== 'never') return;
  // A group of which something is set has had its own problem by now.
  if (!env.DISCORD_TOKEN && !env.DISCORD_API_URL) {
    findings.problem('DISCORD_TOKEN', 'is missing, and SANDBOX=never: set the bot token');
  }
  if (MODEL_VARIABLES.every((name) => !env[name])) {
    findings.problem(
      'AZURE_OPENAI_ENDPOINT',
      'is missing, and SANDBOX=never: set it with AZURE_OPENAI_DEPLOYMENT_NAME, or set OPENAI_MODEL with OPENAI_BASE_URL or OPENAI_API_KEY',
    );
  }
}

function readTranscribeModel(env: Env, model: ModelConfig, findings: Findings): string | undefined {
  if (!env.TRANSCRIBE_MODEL || model.kind !== 'sandbox') return env.TRANSCRIBE_MODEL;
  findings.notice('info', { ignored: ['TRANSCRIBE_MODEL'] }, 'no model is set: the sandbox transcribes');
  return undefined;
}

function readLogLevel(value: string | undefined, findings: Findings): LogLevel {
  if (!value) return 'info';
  const level = LOG_LEVELS.find((name) => name === value.toLowerCase());
  if (!level) findings.problem('LOG_LEVEL', `is not one of ${LOG_LEVELS.join(', ')}`);
  return level ?? 'info';
}

function readHealthPort(value: string | undefined, findings: Findings): number | undefined {
  if (!value) return undefined;
  if (/^\d{1,5}$/.test(value) && Number(value) <= 65_535) return Number(value);
  findings.problem('HEALTH_PORT', 'is not a port: write a number from 1 to 65535, or 0 for any free port');
  return undefined;
}
