import { readFileSync, writeFileSync } from 'node:fs';

/** Most bytes of memory that a process had resident since it began, or since `forgetPeak`; proc(5), VmHWM. */
export function peakBytes(pid: number): number {
  const kibibytes = /^VmHWM:\s+([0-9]+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kibibytes) * 1024;
}

/** The peak begins anew: proc(5), /proc/[pid]/clear_refs, 5. */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}
