import { ConfigError, startExporter, type ExporterOptions } from '../exporter';
import { createLogger, type LogFormat, type LogLevel } from '../logging/logger';
import { LockedError } from '../memory/memory-lock';

export interface ServeFlags extends Omit<ExporterOptions, 'log' | 'time'> {
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

/** Runs the exporter until SIGTERM or SIGINT; reloads at SIGHUP. Answers the exit status. */
export async function serve(flags: ServeFlags): Promise<number> {
  const log = createLogger(flags.logLevel, flags.logFormat);
  let exporter;
  try {
    exporter = await startExporter({ ...flags, log });
  } catch (error) {
    if (error instanceof ConfigError) process.stderr.write(`${error.message}\n`);
    else if (error instanceof LockedError || isSystemError(error))
      log.error('Could not start', { error: error.message });
    else throw error;
    return 1;
  }
  const reload = (): void => void exporter.reload();
  process.on('SIGHUP', reload);
  const signal = await firstSignal('SIGTERM', 'SIGINT');
  log.info('Stopping', { signal });
  await exporter.stop();
  process.off('SIGHUP', reload);
  return 0;
}

/**
 * Resolves at the first of the signals; at a second one the process ends at once, as it does by default. The handler stays
 * until then: while the state file is being written, signal-exit listens as well, and ends the process where nobody else does.
 */
export function firstSignal(...signals: NodeJS.Signals[]): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let isFirst = true;
    const handler = (signal: NodeJS.Signals): void => {
      if (isFirst) {
        isFirst = false;
        resolve(signal);
        return;
      }
      for (const name of signals) process.off(name, handler);
      process.kill(process.pid, signal);
    };
    for (const name of signals) process.on(name, handler);
  });
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}
