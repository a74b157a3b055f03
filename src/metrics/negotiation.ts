import type { ExpositionFormat } from './family';

/**
 * Which format a scraper asked for: OpenMetrics only when its Accept header
 * names it with a weight that is not below that of plain text.
 */
export function negotiateFormat(accept: string | undefined): ExpositionFormat {
  if (accept === undefined) return 'text';
  let openmetrics = 0;
  let text = 0;
  for (const part of accept.toLowerCase().split(',').slice(0, 32)) {
    const [media = '', ...parameters] = part.split(';').map((word) => word.trim());
    const weight = weightOf(parameters);
    const version = parameters.find((parameter) => parameter.startsWith('version='))?.slice('version='.length);
    if (media === 'application/openmetrics-text' && (version === undefined || version === '1.0.0')) {
      openmetrics = Math.max(openmetrics, weight);
    } else if (media === 'text/plain' || media === 'text/*' || media === '*/*') {
      text = Math.max(text, weight);
    }
  }
  return openmetrics > 0 && openmetrics >= text ? 'openmetrics' : 'text';
}

/** Whether the client takes gzip: RFC 9110, 12.5.3. */
export function acceptsGzip(acceptEncoding: string | undefined): boolean {
  if (acceptEncoding === undefined) return false;
  const weights = new Map<string, number>();
  for (const part of acceptEncoding.toLowerCase().split(',').slice(0, 32)) {
    const [coding = '', ...parameters] = part.split(';').map((word) => word.trim());
    weights.set(coding, weightOf(parameters));
  }
  // The star stands for what is not named beside it.
  return (weights.get('gzip') ?? weights.get('*') ?? 0) > 0;
}

function weightOf(parameters: readonly string[]): number {
  const quality = parameters.find((parameter) => parameter.startsWith('q='));
  const weight = quality === undefined ? 1 : Number(quality.slice(2));
  return Number.isFinite(weight) ? weight : 0;
}
