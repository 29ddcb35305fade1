import { SandboxTimeoutError, type SandboxClient } from '../../../src/sandbox/control/client.ts';
import type { SandboxEvent } from '../../../src/sandbox/control/protocol.ts';

/** No packet for so long is the end of a reply; less is a busy machine. */
const END_MS = 1000;

/** When the bot next begins or ends to speak. */
export function botSpeaking(client: SandboxClient, speaking: boolean, sinceMs: number): Promise<SandboxEvent> {
  return client.waitFor((event) => event.type === 'bot-speaking' && event.speaking === speaking, {
    since: sinceMs,
    timeoutMs: 40_000,
  });
}

/** When the reply that has begun is over. */
export async function replyEnded(client: SandboxClient, started: SandboxEvent): Promise<SandboxEvent> {
  const ended = await botSpeaking(client, false, started.atMs);
  const more = await client
    .waitFor((event) => event.type === 'bot-speaking' && event.speaking, { since: ended.atMs, timeoutMs: END_MS })
    .catch((error: unknown) => {
      if (error instanceof SandboxTimeoutError) return undefined;
      throw error;
    });
  return more ? replyEnded(client, more) : ended;
}
