import type { Variable } from './env.ts';
import type { Findings } from './problems.ts';

/** Whether a URL's host name is this machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** Which addresses may go without TLS. `any` is for private networks, where servers without certificates are usual. */
export type PlainHttp = 'loopback' | 'any';

/**
 * The base address in a variable, without a slash at its end. `undefined` when it is not usable: the problem is then in
 * `findings`. `example` completes the sentence "write it like …".
 */
export function readBaseUrl(
  variable: Variable,
  value: string,
  plainHttp: PlainHttp,
  example: string,
  findings: Findings,
): URL | undefined {
  const url = URL.parse(value);
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    findings.problem(variable, `is not a web address: write it like ${example}`);
    return undefined;
  }
  if (url.username || url.password) {
    findings.problem(variable, 'holds a user name or password: addresses are logged, so take them out');
    return undefined;
  }
  if (url.search || url.hash) {
    findings.problem(variable, `holds more than the address (what follows "?" or "#"): write it like ${example}`);
    return undefined;
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    if (plainHttp === 'loopback') {
      findings.problem(variable, 'begins with http://, which anyone on the way can read: write https://');
      return undefined;
    }
    findings.notice('warn', { variable }, 'an address is not encrypted: use it on a private network only');
  }
  url.pathname = url.pathname.replace(/\/+$/, '');
  return url;
}

/** The address as text, without a slash at its end. */
export function withoutSlash(url: URL): string {
  return url.href.replace(/\/+$/, '');
}
