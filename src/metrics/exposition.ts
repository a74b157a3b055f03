import { gzip } from 'node:zlib';
import { promisify } from 'node:util';
import type { StackPolicy } from '../policy/policy';
import type { Time } from '../time/time';
import type { ExporterMetrics } from './exporter-metrics';
import type { ExpositionFormat } from './family';
import type { FleetText } from './fleet-text';
import { renderStacks } from './stack-families';

export const contentTypes: Record<ExpositionFormat, string> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

const gzipAsync = promisify(gzip);

/** Everything that /metrics answers. */
export interface Exposition {
  render(format: ExpositionFormat, compressed: boolean): Promise<Buffer>;
}

export interface ExpositionParts {
  readonly time: Time;
  readonly fleet: FleetText;
  readonly exporter: ExporterMetrics;
  readonly stacks: () => ReadonlyMap<string, StackPolicy>;
}

/** Scrapes that come while one is being rendered share it. */
export function createExposition(parts: ExpositionParts): Exposition {
  const underWay = new Map<string, Promise<Buffer>>();
  return {
    render(format, compressed) {
      const key = `${format} ${compressed}`;
      const joined = underWay.get(key);
      if (joined !== undefined) return joined;
      const rendering = renderAll(parts, format, compressed).finally(() => underWay.delete(key));
      underWay.set(key, rendering);
      return rendering;
    },
  };
}

async function renderAll(parts: ExpositionParts, format: ExpositionFormat, compressed: boolean): Promise<Buffer> {
  const pieces = [
    ...parts.fleet.render(format, parts.time.monotonicMs()),
    Buffer.from(renderStacks(parts.stacks(), parts.time.nowMs(), format)),
    Buffer.from(await parts.exporter.render(format)),
  ];
  if (format === 'openmetrics') pieces.push(Buffer.from('# EOF\n'));
  const whole = Buffer.concat(pieces);
  // Level 1 is three times as fast as the default and a tenth larger; zlib works off the event loop.
  return compressed ? gzipAsync(whole, { level: 1 }) : whole;
}
