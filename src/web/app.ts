import express, { type Express, type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import { createGate } from './access/gate';
import { createLogin } from './access/login';
import type { PasswordWorker } from './access/password-worker';
import { sendText } from './answer';
import { hostRoute, hostsRoute, refreshHostRoute, refreshRoute } from './api-routes';
import type { WebBackend } from './backend';
import { dropOldestBeyond, refuseBeyond, type InFlight } from './limits/answers';
import { metricsRoute, probeRoute } from './metrics-routes';
import { favicon } from './page/favicon';
import { stylesheet, stylesheetName } from './page/stylesheet';
import { fleetRoute, hostPageRoute, probeFormRoute } from './page-routes';
import type { SettingsSource } from './settings/settings-file';

/** Requests of each kind that are answered at once. */
const bounds = {
  /** promhttp's default in node_exporter; more than this many Prometheus servers scrape nobody. */
  scrapes: 40,
  pages: 64,
  /** Those that wait for a probe. Fewer than connections, so that /metrics always finds one. */
  waiting: 1536,
} as const;

export interface AppParts {
  readonly backend: WebBackend;
  readonly settings: SettingsSource;
  readonly passwords: PasswordWorker;
}

/** Everything that is answered over HTTP. */
export function createApp({ backend, settings, passwords }: AppParts): Express {
  const gate = createGate({
    settings,
    login: createLogin(passwords),
    refreshTokenFile: () => backend.refreshTokenFile(),
    monotonicMs: () => backend.monotonicMs(),
  });
  const scrapes = inPlaceOf(dropOldestBeyond(bounds.scrapes));
  const pages = inPlaceOf(dropOldestBeyond(bounds.pages));
  const waiting = inPlaceOf(refuseBeyond(bounds.waiting));

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');
  app.enable('strict routing');
  app.set('query parser', 'simple');
  app.use(gate.everyRequest);
  app.post(/.*/, gate.refuseForeign);
  app.put(/.*/, gate.refuseForeign);

  app.get('/-/healthy', (_request, response) => sendText(response, 200, 'reboot-exporter is healthy.\n'));
  app.get('/-/ready', ready(backend));
  app.post('/-/reload', reload(backend));
  app.put('/-/reload', reload(backend));
  app.get('/metrics', scrapes, metricsRoute(backend));
  app.get('/probe', gate.refuseForeign, waiting, probeRoute(backend));
  app.get('/api/v1/hosts', pages, hostsRoute(backend));
  app.get('/api/v1/hosts/:host', hostRoute(backend));
  app.post('/api/v1/refresh', gate.mayRefresh, waiting, refreshRoute(backend));
  app.post('/api/v1/hosts/:host/refresh', gate.mayRefresh, waiting, refreshHostRoute(backend));
  app.get('/', pages, fleetRoute(backend));
  app.get('/hosts/:host', pages, hostPageRoute(backend, gate));
  app.post('/hosts/:host/probe', form, waiting, probeFormRoute(backend, gate));
  app.get(`/${stylesheetName}`, fixed('text/css; charset=utf-8', stylesheet));
  app.get('/favicon.svg', fixed('image/svg+xml', favicon));

  for (const [path, allowed] of Object.entries(methods)) {
    app.all(path, (_request, response) => {
      response.set('Allow', allowed);
      sendText(response, 405, `Only ${allowed}.\n`);
    });
  }
  app.use((_request, response) => sendText(response, 404, 'Not found.\n'));
  app.use(failed(backend));
  return app;
}

const methods: Readonly<Record<string, string>> = {
  '/-/reload': 'POST, PUT',
  '/api/v1/refresh': 'POST',
  '/api/v1/hosts/:host/refresh': 'POST',
  '/hosts/:host/probe': 'POST',
  '/-/healthy': 'GET, HEAD',
  '/-/ready': 'GET, HEAD',
  '/metrics': 'GET, HEAD',
  '/probe': 'GET, HEAD',
  '/api/v1/hosts': 'GET, HEAD',
  '/api/v1/hosts/:host': 'GET, HEAD',
  '/': 'GET, HEAD',
  '/hosts/:host': 'GET, HEAD',
};

/** Reads the form of a page, the only body that is read at all. */
const form = express.urlencoded({ extended: false, limit: 4096, parameterLimit: 8 });

function ready(backend: WebBackend): RequestHandler {
  return (_request, response) => {
    const isReady = backend.isReady();
    sendText(response, isReady ? 200 : 503, isReady ? 'reboot-exporter is ready.\n' : 'Not ready.\n');
  };
}

function reload(backend: WebBackend): RequestHandler {
  return async (_request, response) => {
    if (backend.reload === null) {
      sendText(response, 403, 'Lifecycle API is not enabled; start with --web.enable-lifecycle.\n');
      return;
    }
    const fault = await backend.reload();
    sendText(response, fault === null ? 200 : 500, fault === null ? '' : `${fault}\n`);
  };
}

/** Content that changes only with its name or the program. */
function fixed(type: string, content: string): RequestHandler {
  return (_request, response) => {
    response.set({ 'Content-Type': type, 'Cache-Control': 'public, max-age=604800, immutable' }).end(content);
  };
}

function inPlaceOf(inFlight: InFlight): RequestHandler {
  return (_request, response, next) => {
    if (inFlight.enter(response)) return next();
    response.set('Retry-After', '1');
    sendText(response, 503, 'Too many requests are being answered.\n');
  };
}

function failed(backend: WebBackend) {
  return (error: unknown, _request: Request, response: Response, next: NextFunction): void => {
    const status = clientErrorStatus(error);
    if (status === null)
      backend.log.error('A request failed', {
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    if (response.headersSent) next(error);
    else sendText(response, status ?? 500, status === null ? 'Internal error.\n' : 'Bad request.\n');
  };
}

function clientErrorStatus(error: unknown): number | null {
  const status = typeof error === 'object' && error !== null && 'status' in error ? Number(error.status) : NaN;
  return status >= 400 && status < 500 ? status : null;
}
