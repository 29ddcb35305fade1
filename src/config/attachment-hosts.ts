import type { Findings } from './problems.ts';
import { isLoopback } from './url.ts';

/** A host that attachments may be fetched from. Compares with `protocol` and `host` of a `URL`. */
export interface AttachmentHost {
  readonly protocol: 'https:' | 'http:';
  /** Name, and port when it is not the protocol's own. */
  readonly host: string;
}

/** The two hosts that Discord serves attachments from. */
const DISCORD_HOSTS: readonly AttachmentHost[] = [
  { protocol: 'https:', host: 'cdn.discordapp.com' },
  { protocol: 'https:', host: 'media.discordapp.net' },
];

/**
 * Reads `ATTACHMENT_HOSTS`: names separated by commas or blanks, exact (no wildcards), in place of Discord's two. A name
 * alone means https; a loopback name alone may be reached by http as well.
 */
export function readAttachmentHosts(value: string | undefined, findings: Findings): readonly AttachmentHost[] {
  if (!value) return DISCORD_HOSTS;
  const entries = value.split(/[\s,]+/).filter((entry) => entry !== '');
  const hosts = entries.flatMap(parseHosts);
  if (entries.length === 0 || entries.some((entry) => parseHosts(entry).length === 0)) {
    findings.problem(
      'ATTACHMENT_HOSTS',
      'is not a list of host names: write it like cdn.discordapp.com,media.discordapp.net, each name whole, without "*", paths or http:// (which only this machine may have)',
    );
  }
  return hosts;
}

/** None when the entry is not a host. */
function parseHosts(entry: string): readonly AttachmentHost[] {
  const [, scheme, name = ''] = /^(https?:\/\/)?(.*?)\/?$/i.exec(entry) ?? [];
  const url = URL.parse(`${scheme?.toLowerCase() ?? 'https://'}${name}`);
  const isHost = url && /^[\w.:[\]-]+$/.test(name) && url.pathname === '/' && /[a-z\d\]]$/i.test(url.hostname);
  if (!isHost) return [];
  const loopback = isLoopback(url.hostname);
  if (url.protocol === 'http:') return loopback ? [{ protocol: 'http:', host: url.host }] : [];
  const secure: AttachmentHost = { protocol: 'https:', host: url.host };
  if (scheme || !loopback) return [secure];
  return [secure, { protocol: 'http:', host: new URL(`http://${name}`).host }];
}
