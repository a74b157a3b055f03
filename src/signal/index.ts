import { firmware } from './firmware';
import { flag } from './flag';
import { generation } from './generation';
import { image } from './image';
import { kernel } from './kernel';
import { libc } from './libc';
import { library } from './library';
import { modules } from './modules';
import { packages } from './package';
import { rebootNeeded } from './reboot-needed';
import { rpmKernel } from './rpm-kernel';
import { smartRestart } from './smart-restart';
import type { Signal } from './signal';
import { snap } from './snap';
import { updateEngine } from './update-engine';

/**
 * Every way in which a host can show that it needs a restart. A new one is a
 * file beside these with its test, and a line here.
 */
export const signals: readonly Signal[] = [
  flag,
  kernel,
  modules,
  library,
  libc,
  firmware,
  generation,
  updateEngine,
  snap,
  rpmKernel,
  packages,
  rebootNeeded,
  smartRestart,
  image,
];
