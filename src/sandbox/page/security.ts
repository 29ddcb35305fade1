import { createHash } from 'node:crypto';

/** Where the page's sounds and pictures come from besides its own origin. */
export interface PagePolicy {
  /** Origin of the sandbox's CDN. */
  readonly cdnOrigin: string;
  /** The one script that stands in the page itself. */
  readonly importMap: string;
}

/**
 * Headers of everything the page is made of. Only its own files run, and only its own server is talked to: text from the
 * bot or the model that got into the page as markup could still do nothing.
 */
export function pageHeaders({ cdnOrigin, importMap }: PagePolicy): Readonly<Record<string, string>> {
  const hash = createHash('sha256').update(importMap).digest('base64');
  const policy = [
    "default-src 'none'",
    `script-src 'self' 'sha256-${hash}'`,
    "style-src 'self'",
    `img-src 'self' ${cdnOrigin}`,
    `media-src 'self' blob: ${cdnOrigin}`,
    "connect-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  return {
    'content-security-policy': policy,
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'microphone=(self), camera=(), geolocation=()',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  };
}
