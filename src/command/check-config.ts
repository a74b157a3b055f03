import { formatFault, type Fault } from '../config/fault';
import { loadConfig } from '../config/load';
import { loadWebSettings } from '../web/settings/load';

/**
 * Validates a configuration, and the file of `--web.config.file` where one is named; prints each fault as
 * `file:line:col: message`. Answers the exit status.
 */
export async function checkConfig(file: string, webConfigFile: string | null): Promise<number> {
  const result = await loadConfig(file);
  const web = webConfigFile === null ? null : loadWebSettings(webConfigFile, Date.now());
  const warnings = [...result.warnings, ...(web?.warnings ?? [])];
  for (const warning of warnings) process.stderr.write(`warning: ${formatFault(warning)}\n`);
  const faults: readonly Fault[] = [...(result.ok ? [] : result.faults), ...(web?.faults ?? [])];
  for (const fault of faults) process.stderr.write(`${formatFault(fault)}\n`);
  if (!result.ok || faults.length > 0) return 1;
  const { config } = result;
  process.stdout.write(`${file}: ok, ${config.hosts.length} hosts in ${config.stacks.size} stacks\n`);
  if (webConfigFile !== null) process.stdout.write(`${webConfigFile}: ok\n`);
  return 0;
}
