import { createHmac, randomBytes } from 'node:crypto';
import type { Upload } from '../control/protocol.ts';
import type { Attachment, JsonObject } from './entities.ts';
import type { World } from './world.ts';

/** How long a signed URL works. Discord's last about a day. */
const URL_LIFE_MS = 24 * 60 * 60 * 1000;

/** Bytes kept; beyond them the oldest files are gone, as if their address had run out. */
const MAX_STORED_BYTES = 512 * 1024 * 1024;

/** A file as it was uploaded. */
export interface UploadedFile {
  readonly name: string;
  readonly contentType?: string;
  readonly bytes: Uint8Array;
  readonly claimedSize?: number;
}

/** What the uploader said about a file. */
export interface FileDetails {
  readonly description?: string;
  readonly title?: string;
  readonly durationSecs?: number;
  readonly waveform?: string;
}

type StoredFile = { readonly bytes: Uint8Array; readonly contentType: string };

export type CdnAnswer = { readonly found: true; readonly file: StoredFile } | { readonly found: false };

/** Keeps uploaded files and signs their addresses as Discord's CDN does: `ex`, `is` and `hm` parameters. */
export class AttachmentStore {
  readonly #world: World;
  readonly #files = new Map<string, StoredFile>();
  readonly #signingKey = randomBytes(32);
  #storedBytes = 0;
  #origin = '';

  constructor(world: World) {
    this.#world = world;
  }

  /** Where the files are served from, such as `http://127.0.0.1:8080`. */
  set origin(origin: string) {
    this.#origin = origin;
  }

  /** `place` is the channel, or the application for what only one person sees. */
  store(file: UploadedFile, place: string, ephemeral: boolean, details: FileDetails = {}): Attachment {
    const id = this.#world.ids.next();
    const name = cleanName(file.name);
    const contentType = contentTypeOf(file);
    const folder = ephemeral ? 'ephemeral-attachments' : 'attachments';
    const path = `/${folder}/${place}/${id}/${encodeURIComponent(name)}`;
    this.#keep(path, { bytes: file.bytes, contentType: contentType ?? 'application/octet-stream' });
    return {
      id,
      name,
      size: file.claimedSize ?? file.bytes.byteLength,
      ...(contentType === undefined ? {} : { contentType }),
      ...details,
      path,
      ephemeral,
    };
  }

  url(attachment: Attachment): string {
    const issued = Math.trunc(Date.now() / 1000).toString(16);
    const expires = Math.trunc((Date.now() + URL_LIFE_MS) / 1000).toString(16);
    const signature = this.#sign(attachment.path, expires, issued);
    return `${this.#origin}${attachment.path}?ex=${expires}&is=${issued}&hm=${signature}&`;
  }

  payload(attachment: Attachment): JsonObject {
    const url = this.url(attachment);
    return {
      id: attachment.id,
      filename: attachment.name,
      size: attachment.size,
      url,
      proxy_url: url,
      ...(attachment.contentType === undefined ? {} : { content_type: attachment.contentType }),
      ...(attachment.description === undefined ? {} : { description: attachment.description }),
      ...(attachment.title === undefined ? {} : { title: attachment.title }),
      ...(attachment.durationSecs === undefined ? {} : { duration_secs: attachment.durationSecs }),
      ...(attachment.waveform === undefined ? {} : { waveform: attachment.waveform }),
      ...(attachment.ephemeral ? { ephemeral: true } : {}),
    };
  }

  /** The file at a signed address; nothing when the signature is wrong or has run out. */
  fetch(address: URL): CdnAnswer {
    const expires = address.searchParams.get('ex') ?? '';
    const issued = address.searchParams.get('is') ?? '';
    const signature = address.searchParams.get('hm') ?? '';
    const file = this.#files.get(address.pathname);
    if (!file || signature !== this.#sign(address.pathname, expires, issued)) return { found: false };
    if (Number.parseInt(expires, 16) * 1000 < Date.now()) return { found: false };
    return { found: true, file };
  }

  #keep(path: string, file: StoredFile): void {
    this.#files.set(path, file);
    this.#storedBytes += file.bytes.byteLength;
    for (const [oldest, { bytes }] of this.#files) {
      if (this.#storedBytes <= MAX_STORED_BYTES) break;
      this.#files.delete(oldest);
      this.#storedBytes -= bytes.byteLength;
    }
  }

  #sign(path: string, expires: string, issued: string): string {
    return createHmac('sha256', this.#signingKey).update(`${path}\n${expires}\n${issued}`).digest('hex');
  }
}

/** What a person uploads through the control API. */
export function fromUpload({ name, contentType, data, claimedSize }: Upload): UploadedFile {
  return {
    name,
    bytes: Buffer.from(data, 'base64'),
    ...(contentType === undefined ? {} : { contentType }),
    ...(claimedSize === undefined ? {} : { claimedSize }),
  };
}

/** Discord keeps letters, digits, dots, dashes and underscores of a file's name. */
function cleanName(name: string): string {
  const cleaned = name
    .replaceAll(/\s+/g, '_')
    .replaceAll(/[^\p{L}\p{N}._-]/gu, '')
    .replace(/^\.+/, '');
  return cleaned === '' ? 'unknown' : cleaned;
}

const TYPES_BY_EXTENSION: Readonly<Record<string, string>> = {
  ogg: 'audio/ogg',
  opus: 'audio/ogg',
  mp3: 'audio/mpeg',
  wav: 'audio/x-wav',
  m4a: 'audio/mp4',
  flac: 'audio/flac',
  webm: 'video/webm',
  mp4: 'video/mp4',
  png: 'image/png',
  jpg: 'image/jpeg',
  txt: 'text/plain; charset=utf-8',
  md: 'text/markdown; charset=utf-8',
  json: 'application/json; charset=utf-8',
  pdf: 'application/pdf',
};

/**
 * What Discord takes a file for. Libraries call Ogg files `application/ogg` and unknown ones `application/octet-stream`:
 * then the name decides.
 */
export function contentTypeOf(file: Pick<UploadedFile, 'name' | 'contentType'>): string | undefined {
  const said = file.contentType ?? '';
  if (said !== '' && !said.startsWith('application/')) return said;
  const byName = TYPES_BY_EXTENSION[/\.([^.]+)$/.exec(file.name)?.[1]?.toLowerCase() ?? ''];
  return byName ?? (said === '' || said === 'application/octet-stream' ? undefined : said);
}
