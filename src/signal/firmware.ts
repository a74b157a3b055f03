import { judgeUnpacked } from './library';
import type { Signal } from './signal';

/** Microcode is loaded by the kernel as it boots, and on bare metal only: a guest's is its hypervisor's. */
export const firmware: Signal = {
  name: 'firmware',
  summary: '`intel-microcode` or `amd64-microcode` was replaced after this boot, on bare metal.',
  judge(_section, context) {
    const { machine } = context.facts;
    if (machine.container !== null || machine.virtualization !== 'none') {
      return { says: 'silent', because: 'microcode is loaded on bare metal only' };
    }
    return judgeUnpacked(['intel-microcode', 'amd64-microcode'], context, 'silent');
  },
};
