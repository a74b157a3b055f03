import type { Request, RequestHandler, Response } from 'express';
import { contentTypes } from '../metrics/exposition';
import { renderHead, renderSample, type ExpositionFormat } from '../metrics/family';
import { acceptsGzip, negotiateFormat } from '../metrics/negotiation';
import { parameter, sendText } from './answer';
import type { WebBackend } from './backend';
import { within } from './within';

/** Answers `GET /metrics`: what is known, at once. */
export function metricsRoute({ exposition }: WebBackend): RequestHandler {
  return async (request, response) => {
    const format = negotiateFormat(request.get('accept'));
    const compressed = acceptsGzip(request.get('accept-encoding'));
    const body = await exposition.render(format, compressed);
    response.set({
      'Content-Type': contentTypes[format],
      'Content-Length': String(body.bytes),
      Vary: 'Accept, Accept-Encoding',
    });
    if (compressed) response.set('Content-Encoding', 'gzip');
    // Corked, all pieces go out with as few system calls as one buffer would take, and are not copied into one first.
    response.cork();
    for (const piece of body.pieces) response.write(piece);
    response.end();
    response.uncork();
  };
}

/** Answers `GET /probe?target=HOST`: probes that host of the inventory, and tells its metrics. */
export function probeRoute(backend: WebBackend): RequestHandler {
  return async (request: Request, response: Response) => {
    const target = parameter(request, 'target');
    if (target === undefined || target === '') {
      sendText(response, 400, 'The parameter target is missing: /probe?target=HOST\n');
      return;
    }
    const begunMs = backend.monotonicMs();
    const probing = backend.probe(target, { exposure: false });
    if (probing === null) {
      sendText(response, 404, `${JSON.stringify(target)} is not a host of the inventory.\n`);
      return;
    }
    const isDone = await within(probing, scrapeBoundMs(request.get('x-prometheus-scrape-timeout-seconds')));
    const format = negotiateFormat(request.get('accept'));
    const isSuccess = isDone && backend.document(target)?.probe.success === true;
    const seconds = (backend.monotonicMs() - begunMs) / 1000;
    const own = backend.hostMetrics(target, format) ?? '';
    response
      .set({ 'Content-Type': contentTypes[format], Vary: 'Accept' })
      .end(`${own}${renderOutcome(isSuccess, seconds, format)}`);
  };
}

/** The metrics that every multi-target exporter gives. */
function renderOutcome(isSuccess: boolean, seconds: number, format: ExpositionFormat): string {
  const success = { name: 'probe_success', type: 'gauge', help: 'Whether the probe succeeded.' } as const;
  const duration = { name: 'probe_duration_seconds', type: 'gauge', help: 'How long the answer took.' } as const;
  return [
    renderHead(success, format),
    renderSample(success.name, { labels: {}, value: isSuccess ? 1 : 0 }),
    renderHead(duration, format),
    renderSample(duration.name, { labels: {}, value: seconds }),
    format === 'openmetrics' ? '# EOF\n' : '',
  ].join('');
}

/** Seconds that are kept back from Prometheus' scrape timeout for the answer's way; blackbox_exporter's default. */
const scrapeTimeoutOffsetSeconds = 0.5;

/** How long an answer may wait for its probe, in milliseconds, from the header with Prometheus' scrape timeout; null: no bound. */
export function scrapeBoundMs(header: string | undefined): number | null {
  const seconds = Number(header ?? NaN);
  if (!Number.isFinite(seconds) || seconds <= 0) return null;
  return Math.max(seconds - scrapeTimeoutOffsetSeconds, seconds / 2) * 1000;
}
