import { createHash } from 'node:crypto';
import { SECTION } from '../exposure/section-names';
import type { Host } from '../inventory/host';
import type { HostReport } from '../probe/probe';

/** When the exposure of a host was last read, and of which state of it. */
export interface ExposureReading {
  /** The exporter's monotonic clock, in milliseconds. */
  readonly atMonotonicMs: number;
  readonly bootId: string | null;
  /** A digest of what the host sends with every probe that changes with its sockets and its ruleset. */
  readonly fingerprint: string;
}

/** What is to be kept of a report that has the exposure's sections. */
export function readingOf(report: HostReport, atMonotonicMs: number): ExposureReading {
  return { atMonotonicMs, bootId: report.boot.id, fingerprint: fingerprintOf(report) };
}

/** Whether a probe should read the exposure as well: nothing is evaluated where the configuration declares it. */
export function isExposureDue(
  host: Host,
  last: ExposureReading | null,
  intervalSeconds: number,
  monotonicMs: number,
): boolean {
  if (host.exposure.mode !== 'evaluate') return false;
  return last === null || monotonicMs - last.atMonotonicMs >= intervalSeconds * 1000;
}

/** Whether a report without the exposure's sections shows that what was read of it holds no more. */
export function isExposureOutdated(host: Host, last: ExposureReading | null, report: HostReport): boolean {
  if (host.exposure.mode !== 'evaluate' || last === null) return false;
  return fingerprintOf(report) !== last.fingerprint || report.boot.id !== last.bootId;
}

function fingerprintOf(report: HostReport): string {
  const body = report.sections.get(SECTION.fingerprint)?.body;
  return body === undefined ? '' : createHash('sha256').update(body).digest('base64');
}
