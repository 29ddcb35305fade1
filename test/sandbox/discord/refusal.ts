import { DiscordAPIError } from 'discord.js';

/** How Discord refuses: `fields` lists the codes of its nested error body as `path: CODE`. */
export interface ApiRefusal {
  readonly code: number | string;
  readonly status: number;
  readonly fields: readonly string[];
}

/** Waits for a request to be refused, and says how. */
export async function refusal(request: Promise<unknown>): Promise<ApiRefusal> {
  const error = await request.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof DiscordAPIError)) throw new Error('The request was not refused.', { cause: error });
  const { code, status, rawError } = error;
  return { code, status, fields: fieldCodes('errors' in rawError ? rawError.errors : undefined) };
}

function fieldCodes(errors: unknown, path = ''): string[] {
  if (typeof errors !== 'object' || errors === null) return [];
  return Object.entries(errors).flatMap(([key, value]: [string, unknown]) =>
    key === '_errors' && Array.isArray(value)
      ? value.map((one: { code: string }) => `${path}: ${one.code}`)
      : fieldCodes(value, path === '' ? key : `${path}.${key}`),
  );
}
