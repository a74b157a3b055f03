import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { sendText } from '../answer';
import type { RateLimit, WebSettings } from '../settings/settings';
import type { SettingsSource } from '../settings/settings-file';
import { basicCredentialsOf } from './basic-credentials';
import { bearerOf, isToken } from './bearer';
import type { Login } from './login';
import { isForeign } from './origin';
import { createTokenBucket, type TokenBucket } from './token-bucket';

/** Who may do what. Every request passes `everyRequest`; a route that sets off a probe asks the others too. */
export interface Gate {
  /** Headers of every answer, the rate limit, and basic auth. */
  readonly everyRequest: RequestHandler;
  /** Refuses what a page of another site may have sent. */
  readonly refuseForeign: RequestHandler;
  /** Lets in who has the refresh token or has logged in; everyone where neither is set up. */
  readonly mayRefresh: RequestHandler;
  /** Whether "probe now" on a page has to ask for the token: no login stands for it. */
  needsToken(): boolean;
  /** Whether a token given on a page is the right one. */
  isToken(given: string): Promise<boolean>;
}

export interface GateParts {
  readonly settings: SettingsSource;
  readonly login: Login;
  readonly refreshTokenFile: () => string | null;
  readonly monotonicMs: () => number;
}

const securityHeaders: Readonly<Record<string, string>> = {
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  // Not no-referrer, with which forms of these very pages would send `Origin: null`.
  'Referrer-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
};

/** Open to everyone, as load balancers and container platforms have no password. */
const openPaths: ReadonlySet<string> = new Set(['/-/healthy', '/-/ready']);

export function createGate({ settings, login, refreshTokenFile, monotonicMs }: GateParts): Gate {
  const takeToken = createRateLimiter(monotonicMs);

  async function everyRequest(request: Request, response: Response, next: NextFunction): Promise<void> {
    const current = settings.current();
    response.set(securityHeaders).set(current.headers);
    if (openPaths.has(request.path)) return next();
    if (!takeToken(current.rateLimit)) {
      response.set('Retry-After', '1');
      return sendText(response, 429, 'Too many requests.\n');
    }
    const isAnswered = current.users.size > 0 && !isTokenRefresh(request) && !(await admit(request, response, current));
    if (!isAnswered) next();
  }

  /** Whether the request carries a good login; else it is answered. */
  async function admit(request: Request, response: Response, { users }: WebSettings): Promise<boolean> {
    const credentials = basicCredentialsOf(request.get('authorization'));
    const outcome = credentials === null ? 'refused' : await login.check(users, credentials);
    if (outcome === 'granted') return true;
    if (outcome === 'busy') {
      response.set('Retry-After', '1');
      sendText(response, 503, 'Too many logins are being checked.\n');
      return false;
    }
    const challenges = ['Basic realm="reboot-exporter", charset="UTF-8"'];
    if (isRefresh(request) && refreshTokenFile() !== null) challenges.push('Bearer');
    response.set('WWW-Authenticate', challenges);
    sendText(response, 401, 'A user and a password are needed.\n');
    return false;
  }

  /** A deploy hook that comes with its token needs no login; whether the token is right, `mayRefresh` finds out. */
  function isTokenRefresh(request: Request): boolean {
    return isRefresh(request) && refreshTokenFile() !== null && bearerOf(request.get('authorization')) !== null;
  }

  async function mayRefresh(request: Request, response: Response, next: NextFunction): Promise<void> {
    const file = refreshTokenFile();
    const hasLogin = settings.current().users.size > 0 && !isTokenRefresh(request);
    if (file === null || hasLogin || (await isToken(file, bearerOf(request.get('authorization'))))) return next();
    response
      .set('WWW-Authenticate', 'Bearer')
      .status(401)
      .json({ error: 'the refresh token is needed: Authorization: Bearer TOKEN' });
  }

  return {
    everyRequest,
    mayRefresh,
    refuseForeign(request, response, next) {
      if (!isForeign(request.headers)) return next();
      sendText(
        response,
        403,
        "This may come from a page of another site, so nothing was done. In a browser, use “Probe now” on the server's own page; " +
          'a program that calls itself Mozilla must send the refresh token, or another User-Agent.\n',
      );
    },
    needsToken: () => refreshTokenFile() !== null && settings.current().users.size === 0,
    async isToken(given) {
      const file = refreshTokenFile();
      return file !== null && isToken(file, given);
    },
  };
}

function isRefresh({ method, path }: Request): boolean {
  return method === 'POST' && path.startsWith('/api/v1/') && path.endsWith('/refresh');
}

/** One bucket for as long as the same limit is in force. */
function createRateLimiter(monotonicMs: () => number): (limit: RateLimit | null) => boolean {
  let inForce: RateLimit | null = null;
  let bucket: TokenBucket | null = null;
  return (limit) => {
    if (limit !== inForce) {
      inForce = limit;
      bucket = limit === null ? null : createTokenBucket(limit, monotonicMs);
    }
    return bucket === null || bucket.take();
  };
}
