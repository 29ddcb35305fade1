import type { UploadedFile } from '../attachments.ts';
import { DiscordError } from './errors.ts';

/** Largest file without boosts (Discord's reference, "Uploading Files"). */
const FILE_LIMIT_BYTES = 10 * 1024 * 1024;

/** Largest request. */
const REQUEST_LIMIT_BYTES = 25 * 1024 * 1024;

export interface RequestBody {
  /** The JSON body, or `payload_json`. */
  readonly json: unknown;
  /** Uploaded files by the number n of their field `files[n]`. */
  readonly files: ReadonlyMap<number, UploadedFile>;
}

/**
 * Reads a JSON or multipart request.
 * @throws {DiscordError} 50109 for bad JSON, 40005 for more bytes than Discord takes.
 */
export async function readBody(request: Request): Promise<RequestBody> {
  if (Number(request.headers.get('content-length') ?? 0) > REQUEST_LIMIT_BYTES) throw new DiscordError('tooLarge');
  const type = request.headers.get('content-type') ?? '';
  if (type.startsWith('multipart/form-data')) return readMultipart(await request.formData());
  const text = await request.text();
  return { json: text === '' ? undefined : parseJson(text), files: new Map() };
}

async function readMultipart(form: FormData): Promise<RequestBody> {
  const files = new Map<number, UploadedFile>();
  let json: unknown = {};
  for (const [key, value] of form) {
    if (key === 'payload_json' && typeof value === 'string') json = parseJson(value);
    const index = /^files\[(\d+)\]$/.exec(key)?.[1];
    if (typeof value === 'string' || index === undefined) continue;
    if (value.size > FILE_LIMIT_BYTES) throw new DiscordError('tooLarge');
    files.set(Number(index), {
      name: value.name,
      contentType: value.type,
      bytes: new Uint8Array(await value.arrayBuffer()),
    });
  }
  return { json, files };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new DiscordError('invalidJson');
  }
}
