import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import type { HostDocument } from '../document/host-document';
import type { Logger } from '../logging/logger';
import type { ExpositionFormat } from '../metrics/family';
import { contentTypes, type Exposition } from '../metrics/exposition';
import { acceptsGzip, negotiateFormat } from '../metrics/negotiation';
import { checkBearer } from './bearer';
import { renderFleetPage, renderHostPage } from './pages';

/** What the web side asks of the exporter. */
export interface WebBackend {
  readonly log: Logger;
  readonly exposition: Exposition;
  /** Whether requests other than those for health may be answered. */
  isReady(): boolean;
  documents(stack?: string): HostDocument[];
  document(host: string): HostDocument | null;
  /** Probes now, or joins; null for a host that is not in the inventory. Resolves after the probe. */
  probe(host: string, options: { exposure: boolean }): Promise<void> | null;
  /** One host's metrics, with the time of the scrape. */
  hostMetrics(host: string, format: ExpositionFormat): string | null;
  /** Path of the file with the token of refresh calls; null: none is asked for. */
  refreshTokenFile(): string | null;
  /** null where the lifecycle API is off; else reloads, and says what is wrong when it could not. */
  readonly reload: (() => Promise<string | null>) | null;
}

/** Seconds that are kept back from Prometheus' scrape timeout for the answer's way; blackbox_exporter's default. */
const scrapeTimeoutOffsetSeconds = 0.5;

export function createApp(backend: WebBackend): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.use(securityHeaders);
  app.get('/-/healthy', (_request, response) => void response.type('text').send('reboot-exporter is healthy.\n'));
  app.get('/-/ready', (_request, response) => {
    const ready = backend.isReady();
    response.status(ready ? 200 : 503).type('text').send(ready ? 'reboot-exporter is ready.\n' : 'Not ready.\n');
  });
  app.post('/-/reload', (_request, response, next) => reload(backend, response).catch(next));
  app.get('/metrics', (request, response, next) => metrics(backend, request, response).catch(next));
  app.get('/probe', (request, response, next) => probe(backend, request, response).catch(next));
  app.get('/api/v1/hosts', (request, response) => void response.json({ hosts: backend.documents(text(request.query['stack'])) }));
  app.get('/api/v1/hosts/:host', (request, response) => {
    const document = backend.document(request.params.host);
    if (document === null) notFound(response, request.params.host);
    else response.json(document);
  });
  app.post('/api/v1/refresh', requireToken(backend), (request, response, next) =>
    refreshStack(backend, request, response).catch(next),
  );
  app.post('/api/v1/hosts/:host/refresh', requireToken(backend), (request, response, next) =>
    refresh(backend, [request.params['host'] as string], request, response).catch(next),
  );
  app.get('/', (request, response) => void response.type('html').send(renderFleetPage(backend.documents(), request.query)));
  app.get('/hosts/:host', (request, response) => {
    const document = backend.document(request.params.host);
    if (document === null) notFound(response, request.params.host);
    else response.type('html').send(renderHostPage(document));
  });
  app.use((_request, response) => void response.status(404).type('text').send('Not found.\n'));
  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    const status = clientErrorStatus(error);
    if (status === null) backend.log.error('A request failed', { error: String(error) });
    if (response.headersSent) response.destroy();
    else response.status(status ?? 500).type('text').send(status === null ? 'Internal error.\n' : 'Bad request.\n');
  });
  return app;
}

function securityHeaders(_request: Request, response: Response, next: NextFunction): void {
  response.set({
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  });
  next();
}

async function metrics(backend: WebBackend, request: Request, response: Response): Promise<void> {
  const format = negotiateFormat(request.get('accept'));
  const compressed = acceptsGzip(request.get('accept-encoding'));
  const body = await backend.exposition.render(format, compressed);
  response.set({ 'Content-Type': contentTypes[format], Vary: 'Accept, Accept-Encoding' });
  if (compressed) response.set('Content-Encoding', 'gzip');
  response.end(body);
}

async function probe(backend: WebBackend, request: Request, response: Response): Promise<void> {
  const target = text(request.query['target']);
  if (target === undefined || target === '') {
    response.status(400).type('text').send('The parameter target is missing: /probe?target=HOST\n');
    return;
  }
  const begun = performance.now();
  const probing = backend.probe(target, { exposure: false });
  if (probing === null) {
    notFound(response, target);
    return;
  }
  const isDone = await within(probing, scrapeTimeoutMs(request));
  const format = negotiateFormat(request.get('accept'));
  const own = backend.hostMetrics(target, format) ?? '';
  const success = isDone && backend.document(target)?.probe.success === true;
  const seconds = (performance.now() - begun) / 1000;
  response.set({ 'Content-Type': contentTypes[format], Vary: 'Accept' }).end(
    `${own}# HELP probe_success Whether the probe succeeded.\n# TYPE probe_success gauge\nprobe_success ${success ? 1 : 0}\n` +
      `# HELP probe_duration_seconds How long the answer took.\n# TYPE probe_duration_seconds gauge\nprobe_duration_seconds ${seconds}\n` +
      (format === 'openmetrics' ? '# EOF\n' : ''),
  );
}

function scrapeTimeoutMs(request: Request): number | null {
  const seconds = Number(request.get('x-prometheus-scrape-timeout-seconds') ?? NaN);
  if (!Number.isFinite(seconds) || seconds <= 0) return null;
  return Math.max(seconds - scrapeTimeoutOffsetSeconds, seconds / 2) * 1000;
}

/** Waits for `work`, for `boundMs` at most; the work goes on. */
async function within(work: Promise<void>, boundMs: number | null): Promise<boolean> {
  if (boundMs === null) return work.then(() => true);
  let timer: NodeJS.Timeout | undefined;
  const bound = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), boundMs);
  });
  try {
    return await Promise.race([work.then(() => true), bound]);
  } finally {
    clearTimeout(timer);
  }
}

async function refreshStack(backend: WebBackend, request: Request, response: Response): Promise<void> {
  const stack = text(request.query['stack']);
  const hosts = backend.documents(stack).map((document) => document.host);
  if (stack !== undefined && hosts.length === 0) {
    response.status(404).json({ error: `no host has the stack ${stack}` });
    return;
  }
  await refresh(backend, hosts, request, response);
}

let refreshes = 0;

async function refresh(backend: WebBackend, hosts: string[], request: Request, response: Response): Promise<void> {
  const probes = hosts.flatMap((host) => {
    const probing = backend.probe(host, { exposure: true });
    return probing === null ? [] : [probing];
  });
  if (probes.length === 0 && hosts.length > 0) {
    notFound(response, hosts.join(', '));
    return;
  }
  const id = `${process.pid}-${++refreshes}`;
  if (text(request.query['wait']) !== '1') {
    for (const probing of probes) probing.catch(() => undefined);
    response.status(202).json({ id, hosts });
    return;
  }
  await Promise.allSettled(probes);
  response.json({ id, hosts: hosts.flatMap((host) => backend.document(host) ?? []) });
}

async function reload(backend: WebBackend, response: Response): Promise<void> {
  if (backend.reload === null) {
    response.status(403).type('text').send('Lifecycle API is not enabled; start with --web.enable-lifecycle.\n');
    return;
  }
  const fault = await backend.reload();
  response.status(fault === null ? 200 : 500).type('text').send(fault === null ? '' : `${fault}\n`);
}

function requireToken(backend: WebBackend) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const file = backend.refreshTokenFile();
    if (file === null) {
      // Without a token, no page of another origin may set off probes: browsers send this header with cross-site requests.
      const site = request.get('sec-fetch-site');
      if (site === undefined || site === 'same-origin' || site === 'none') next();
      else response.status(403).json({ error: 'cross-site requests may not refresh' });
      return;
    }
    checkBearer(file, request.get('authorization')).then((allowed) => {
      if (allowed) next();
      else response.status(401).set('WWW-Authenticate', 'Bearer').json({ error: 'a bearer token is needed' });
    }, next);
  };
}

function notFound(response: Response, host: string): void {
  response.status(404).type('text').send(`${JSON.stringify(host)} is not a host of the inventory.\n`);
}

/** A parameter that was given once. */
function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function clientErrorStatus(error: unknown): number | null {
  const status = typeof error === 'object' && error !== null && 'status' in error ? Number(error.status) : NaN;
  return status >= 400 && status < 500 ? status : null;
}
