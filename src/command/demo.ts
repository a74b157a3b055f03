import { startDemo } from '../demo/run-demo';
import type { ListenAddress } from '../web/server';
import { firstSignal } from './serve';

/** Seconds between two happenings of the demo. */
const pauseSeconds = 15;

/** Runs the demo until SIGTERM or SIGINT. Answers the exit status. */
export async function demo(addresses: readonly ListenAddress[]): Promise<number> {
  const say = (line: string): void => void process.stdout.write(`${new Date().toISOString().slice(11, 19)}  ${line}\n`);
  const [listen = { host: '127.0.0.1', port: 10066 }] = addresses;
  let running;
  try {
    running = await startDemo({ listen, say, pauseSeconds });
  } catch (error) {
    if (!(error instanceof Error) || !('syscall' in error)) throw error;
    process.stderr.write(`${error.message}; choose another with --web.listen-address=127.0.0.1:PORT\n`);
    return 1;
  }
  process.stdout.write(
    [
      'Twelve simulated hosts are up, each behind an SSH server of its own, and the exporter probes them every 5 s.',
      '',
      `  what needs a restart   ${running.url}/`,
      `  for Prometheus         ${running.url}/metrics`,
      `  as JSON                ${running.url}/api/v1/hosts`,
      `  on the terminal        npx reboot-exporter check --config.file=${running.configFile}`,
      '',
      `Something happens every ${pauseSeconds} s. Ctrl-C ends it.`,
      '',
    ].join('\n'),
  );
  await firstSignal('SIGTERM', 'SIGINT');
  await running.stop();
  return 0;
}
