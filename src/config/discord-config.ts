import { VARIABLES, type Env } from './env.ts';
import type { Findings } from './problems.ts';
import { Secret } from './secret.ts';
import { readBaseUrl, withoutSlash } from './url.ts';

/** Which Discord the bot signs in to. */
export type DiscordConfig =
  | { readonly kind: 'sandbox' }
  /** `apiUrl` is the REST base without a version and without a slash at its end. */
  | { readonly kind: 'server'; readonly token: Secret; readonly apiUrl: string };

const DEFAULT_API_URL = 'https://discord.com/api';

/** Three parts with dots between: the bot's id in base64, a time, a signature. Anywhere in a longer text. */
const BOT_TOKEN = /([\w-]{16,40})\.[\w-]{5,10}\.[\w-]{20,}/;

/** Whether a bot token stands in the text. The first part of one is a base64 number, which no other credential has. */
function holdsBotToken(text: string): boolean {
  const id = BOT_TOKEN.exec(text)?.[1];
  return id !== undefined && /^\d{15,21}$/.test(Buffer.from(id, 'base64url').toString('latin1'));
}

/** Reads `DISCORD_TOKEN` and `DISCORD_API_URL`. */
export function readDiscord(env: Env, findings: Findings): DiscordConfig {
  for (const variable of VARIABLES) {
    if (variable !== 'DISCORD_TOKEN' && holdsBotToken(env[variable] ?? '')) {
      findings.problem(
        variable,
        'holds what looks like a Discord bot token: put it in DISCORD_TOKEN, and reset it in the Developer Portal if others could see it here',
      );
    }
  }
  const apiUrl = env.DISCORD_API_URL
    ? readBaseUrl('DISCORD_API_URL', env.DISCORD_API_URL, 'any', DEFAULT_API_URL, findings)
    : new URL(DEFAULT_API_URL);
  if (apiUrl && /\/v\d+$/.test(apiUrl.pathname)) {
    findings.problem('DISCORD_API_URL', `ends with an API version: leave that out, as in ${DEFAULT_API_URL}`);
  }
  const token = env.DISCORD_TOKEN;
  if (!token) {
    if (env.DISCORD_API_URL) {
      findings.problem('DISCORD_TOKEN', 'is missing beside DISCORD_API_URL: set the token, or unset both');
    }
    return { kind: 'sandbox' };
  }
  if (/^Bot\s/i.test(token)) {
    findings.problem('DISCORD_TOKEN', 'begins with the word "Bot": leave that out, only the token itself is needed');
  } else if (!holdsBotToken(token) || /[^\w.-]/.test(token)) {
    findings.problem(
      'DISCORD_TOKEN',
      'is not a bot token, which has three parts with dots between. It is shown once in the Developer Portal, your application, Bot, "Reset Token"; the client secret and the public key are other things',
    );
  }
  return { kind: 'server', token: new Secret(token), apiUrl: apiUrl ? withoutSlash(apiUrl) : DEFAULT_API_URL };
}
