import type { StackPolicy } from '../policy/policy';
import type { Time } from '../time/time';
import type { ExporterMetrics } from './exporter-metrics';
import { renderHead, type ExpositionFormat } from './family';
import type { FleetText } from './fleet-text';
import { GzipPieces, type Piece } from './gzip-pieces';
import { renderStacks } from './stack-families';

export const contentTypes: Record<ExpositionFormat, string> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** A body in pieces that are to be sent one after the other. */
export interface Body {
  readonly pieces: readonly Buffer[];
  readonly bytes: number;
}

/** Everything that /metrics answers. */
export interface Exposition {
  render(format: ExpositionFormat, compressed: boolean): Promise<Body>;
}

export interface ExpositionParts {
  readonly time: Time;
  readonly fleet: FleetText;
  readonly exporter: ExporterMetrics;
  readonly stacks: () => ReadonlyMap<string, StackPolicy>;
}

/** Scrapes that come while one is being rendered share it. */
export function createExposition(parts: ExpositionParts): Exposition {
  const underWay = new Map<string, Promise<Body>>();
  const gzip = new GzipPieces();
  const render = async (format: ExpositionFormat, compressed: boolean): Promise<Body> => {
    const pieces = await renderAll(parts, format);
    return bodyOf(compressed ? await gzip.compress(pieces) : pieces.flatMap((piece) => piece.buffers));
  };
  return {
    render(format, compressed) {
      const key = `${format} ${compressed}`;
      const joined = underWay.get(key);
      if (joined !== undefined) return joined;
      const rendering = render(format, compressed).finally(() => underWay.delete(key));
      underWay.set(key, rendering);
      return rendering;
    },
  };
}

async function renderAll(parts: ExpositionParts, format: ExpositionFormat): Promise<Piece[]> {
  // Before anything is rendered, so that all of the rest is of one moment.
  const exporter = await parts.exporter.render(format);
  const pieces: Piece[] = [];
  for (const { head, pieces: buffers, version } of parts.fleet.render(parts.time.monotonicMs())) {
    pieces.push(textPiece(renderHead(head, format)), { buffers, cache: { key: head.name, version } });
  }
  pieces.push(textPiece(renderStacks(parts.stacks(), parts.time.nowMs(), format)), textPiece(exporter));
  if (format === 'openmetrics') pieces.push(textPiece('# EOF\n'));
  return pieces;
}

function textPiece(text: string): Piece {
  return { buffers: [Buffer.from(text)], cache: null };
}

function bodyOf(pieces: readonly Buffer[]): Body {
  return { pieces, bytes: pieces.reduce((sum, piece) => sum + piece.length, 0) };
}
