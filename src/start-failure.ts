import { EXIT_CONFIG } from './config/problems.ts';
import { DiscordSignInError, DiscordUnreachableError } from './discord/client.ts';
import { ModelError, type ModelErrorKind } from './model/errors.ts';
import { HealthPortError } from './telemetry/health.ts';

/** Something outside cannot be reached (`EX_UNAVAILABLE` of sysexits.h): restarting later may help. */
const EXIT_UNAVAILABLE = 69;

/** A fault of our own (`EX_SOFTWARE` would be 70; 1 is what orchestrators expect). */
const EXIT_FAULT = 1;

/** Only a change of settings helps against these. */
const SETTINGS_ARE_WRONG: ReadonlySet<ModelErrorKind> = new Set([
  'sign-in',
  'not-permitted',
  'wrong-key',
  'no-deployment',
  'retired',
  'refused',
]);

/** What a person at the terminal is told when Parley cannot start or go on, and the exit code that says the same. */
export function startFailure(error: unknown): { readonly exitCode: number; readonly sentence: string } {
  if (error instanceof ModelError) {
    const exitCode = SETTINGS_ARE_WRONG.has(error.kind) ? EXIT_CONFIG : EXIT_UNAVAILABLE;
    return { exitCode, sentence: `The model cannot be used. ${error.operatorHint}` };
  }
  if (error instanceof DiscordSignInError) {
    return {
      exitCode: EXIT_CONFIG,
      sentence: `${error.message}. Check DISCORD_TOKEN: Developer Portal, your application, Bot.`,
    };
  }
  if (error instanceof DiscordUnreachableError) {
    return { exitCode: EXIT_UNAVAILABLE, sentence: `${error.message}. Check the network and DISCORD_API_URL.` };
  }
  if (error instanceof HealthPortError) return { exitCode: EXIT_CONFIG, sentence: `${error.message}.` };
  return { exitCode: EXIT_FAULT, sentence: 'Parley stopped because of a fault of its own. The log says more.' };
}
