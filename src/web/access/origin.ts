import type { IncomingHttpHeaders } from 'node:http';
import { bearerOf } from './bearer';

/**
 * Whether a request may have been made by a page of another site, without its reader's knowing.
 *
 * Browsers say it in Sec-Fetch-Site, which pages can't set (https://www.w3.org/TR/fetch-metadata/), but only to HTTPS
 * and loopback. Over plain HTTP, every request but GET and HEAD carries Origin (Fetch, "append a request Origin
 * header"). A GET without either that comes from a browser can't be told from one that an image of another site set
 * off: it counts as foreign. Programs such as Prometheus and curl send neither header and do not call themselves
 * Mozilla, as every browser does; a page can't take that name away without a preflight, which is never allowed here.
 * Nor can it send a bearer token: no browser adds one by itself, as it does a password.
 */
export function isForeign(headers: IncomingHttpHeaders): boolean {
  if (bearerOf(headers.authorization) !== null) return false;
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  if (headers.origin !== undefined) return !isOwnOrigin(headers.origin, headers);
  return /^Mozilla\//i.test(headers['user-agent'] ?? '');
}

/**
 * Whether an origin is the one that was asked. The scheme is left out, because a proxy in front may have taken TLS off;
 * it may have changed Host too, and then tells the first one in X-Forwarded-Host, which no page can set.
 */
function isOwnOrigin(origin: string, headers: IncomingHttpHeaders): boolean {
  const host = /^https?:\/\/([^/]+)$/i.exec(origin)?.[1]?.toLowerCase();
  if (host === undefined) return false;
  const forwarded = headers['x-forwarded-host'];
  const own = [headers.host, typeof forwarded === 'string' ? forwarded.split(',', 1)[0]?.trim() : undefined];
  return own.some((candidate) => candidate !== undefined && candidate.toLowerCase() === host);
}
