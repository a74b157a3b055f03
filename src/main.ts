#!/usr/bin/env node
import { runCommandLine } from './command/command-line';

/**
 * Look-ups of names hold a thread of libuv's pool as long as a name server is silent, and files and compression need one
 * too. Its usual four are few for that; a thread more takes some ten kilobytes. It makes them when the first is needed.
 */
const poolThreads = 16;
process.env['UV_THREADPOOL_SIZE'] ??= String(poolThreads);

runCommandLine(process.argv).then(
  (status) => {
    process.exitCode = status;
  },
  (error: unknown) => {
    process.stderr.write(
      `reboot-exporter: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exitCode = 1;
  },
);
