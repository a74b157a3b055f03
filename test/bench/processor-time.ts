import { readFileSync } from 'node:fs';

/** USER_HZ, which is 100 on every architecture that Node.js runs on: proc(5). */
const ticksPerSecond = 100;

/** Processor seconds that a process, all its threads among it, has used so far: fields 14 and 15 of /proc/PID/stat. */
export function processorSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Resident memory of a process in bytes, now. */
export function residentBytesOf(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  return Number(line?.[1] ?? NaN) * 1024;
}

/**
 * Seconds for which a process' main thread was ready to run and something else had the processor: the second field of
 * /proc/PID/schedstat, Documentation/scheduler/sched-stats.rst.
 */
export function processorWaitSecondsOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'latin1').split(' ')[1]) / 1e9;
}
