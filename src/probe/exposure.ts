import { evaluateOffLoop } from '../exposure/evaluate-off-loop';
import type { ExposureVerdict } from '../exposure/verdict';
import type { Host } from '../inventory/host';
import type { HostReport } from './probe';

/** The exposure of a host from what it sent, and from what the configuration says of it. */
export function judgeExposure(host: Host, report: HostReport): Promise<ExposureVerdict> {
  return evaluateOffLoop(report.sections, { ...host.exposure, dialledAddress: report.dialledAddress });
}
