/** Every environment variable that Parley reads. */
export const VARIABLES = [
  'DISCORD_TOKEN',
  'DISCORD_API_URL',
  'AZURE_OPENAI_ENDPOINT',
  'AZURE_OPENAI_DEPLOYMENT_NAME',
  'OPENAI_API_VERSION',
  'AZURE_OPENAI_API_KEY',
  'AZURE_OPENAI_SCOPE',
  'OPENAI_BASE_URL',
  'OPENAI_API_KEY',
  'OPENAI_MODEL',
  'TRANSCRIBE_MODEL',
  'VOICE',
  'VOICES',
  'ANSWERS',
  'BOT_NAMES',
  'SPECULATION',
  'TURN_SILENCE_MS',
  'DATABASE_URL',
  'STORE_KEYS',
  'HISTORY_TOKENS',
  'RETENTION_DAYS',
  'DELETION_GRACE_DAYS',
  'NARRATE_CONFIRM_MINUTES',
  'ATTACHMENT_HOSTS',
  'LOG_LEVEL',
  'HEALTH_PORT',
  'SANDBOX',
  'FFMPEG',
] as const;

export type Variable = (typeof VARIABLES)[number];

/** The raw values. `undefined` is a variable that is not set or is blank. */
export type Env = Readonly<Partial<Record<Variable, string | undefined>>>;

/** Reads the environment, the only place that does. Surrounding blanks are dropped: they come with copying and pasting. */
export function readEnv(source: Readonly<Record<string, string | undefined>> = process.env): Env {
  const env: Partial<Record<Variable, string>> = {};
  for (const name of VARIABLES) {
    const value = source[name]?.trim();
    if (value) env[name] = value;
  }
  return env;
}
