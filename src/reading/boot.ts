import { cleanText, readFields, readNumber } from '../report/fields';
import type { Reading } from './reading';

/** Which boot the host is in, as the kernel tells it. */
export interface Boot {
  /** /proc/sys/kernel/random/boot_id, new at every boot of the kernel. */
  readonly id: string | null;
  /** `btime` of /proc/stat: unix time in seconds. A clock that is stepped moves it by as much. */
  readonly kernelTimeSeconds: number | null;
  /** Seconds since the kernel's boot, with a fraction of 10 ms. */
  readonly uptimeSeconds: number | null;
  /** When process 1 started, in seconds after the kernel's boot; a container's own start. */
  readonly initStartSeconds: number | null;
}

/** USER_HZ, the unit of times in /proc/PID/stat, is 100 on every architecture that Linux servers run on. */
const userHz = 100;

/** proc_pid_stat(5): field 22, the twentieth after the command's closing parenthesis. */
const startTimeField = 19;

/** One grep reads the processor's flags with the boot time, for the readings after this one: each program that is started costs. */
export const boot: Reading<Boot> = {
  name: 'boot',
  script: `
  line boot_id "$R/proc/sys/kernel/random/boot_id"
  line uptime "$R/proc/uptime"
  line init "$R/proc/1/stat"
  found=$(grep -h -m 1 -e '^btime ' -e '^flags' "$R/proc/stat" "$R/proc/cpuinfo")
  boot_time=
  case $found in 'btime '*) boot_time=\${found#btime } boot_time=\${boot_time%%[!0-9]*} ;; esac
  printf 'stat=%s\\n' "\${boot_time:+btime $boot_time}"
  case $found in *flags*' hypervisor'*) virtual=1 ;; *flags*) virtual=0 ;; *) virtual= ;; esac
  `,
  parse(section) {
    const fields = readFields(section);
    const id = fields.get('boot_id');
    return {
      id: id === undefined || id === '' ? null : cleanText(id, 64),
      kernelTimeSeconds: positive(readNumber(fields.get('stat')?.slice('btime '.length))),
      uptimeSeconds: readNumber(fields.get('uptime')?.split(' ', 1)[0]),
      initStartSeconds: initStart(fields.get('init')),
    };
  },
};

function initStart(stat: string | undefined): number | null {
  if (stat === undefined) return null;
  const ticks = readNumber(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[startTimeField]);
  return ticks === null ? null : ticks / userHz;
}

function positive(value: number | null): number | null {
  return value !== null && value > 0 ? value : null;
}
