import { formatFault } from '../config/fault';
import { loadConfig } from '../config/load';

/** Validates a configuration; prints each fault as `file:line:col: message`. Answers the exit status. */
export async function checkConfig(file: string): Promise<number> {
  const result = await loadConfig(file);
  for (const warning of result.warnings) process.stderr.write(`warning: ${formatFault(warning)}\n`);
  if (!result.ok) {
    for (const fault of result.faults) process.stderr.write(`${formatFault(fault)}\n`);
    return 1;
  }
  const { config } = result;
  process.stdout.write(`${file}: ok, ${config.hosts.length} hosts in ${config.stacks.size} stacks\n`);
  return 0;
}
