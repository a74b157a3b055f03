import type { Sections } from '../report/section';
import { boot } from './boot';
import { clock } from './clock';
import { dpkg } from './dpkg';
import { image } from './image';
import { kernel } from './kernel';
import { livepatch } from './livepatch';
import { machine } from './machine';
import { os } from './os';
import { patching } from './patching';
import type { Reading } from './reading';
import { rpm } from './rpm';
import { scheduled } from './scheduled';
import { services } from './services';
import { updates } from './updates';

/** Everything that is read on every host, in the order in which the probe program reads it. */
export const readings = {
  clock,
  boot,
  kernel,
  os,
  machine,
  dpkg,
  rpm,
  image,
  patching,
  scheduled,
  updates,
  livepatch,
  services,
};

type Read<R> = R extends Reading<infer T> ? T : never;

/** What a host said, parsed: one entry a reading. */
export type HostFacts = { readonly [K in keyof typeof readings]: Read<(typeof readings)[K]> };

/** Parses the sections of an answer; never throws. */
export function readFacts(sections: Sections): HostFacts {
  return {
    clock: clock.parse(sections.get(clock.name)),
    boot: boot.parse(sections.get(boot.name)),
    kernel: kernel.parse(sections.get(kernel.name)),
    os: os.parse(sections.get(os.name)),
    machine: machine.parse(sections.get(machine.name)),
    dpkg: dpkg.parse(sections.get(dpkg.name)),
    rpm: rpm.parse(sections.get(rpm.name)),
    image: image.parse(sections.get(image.name)),
    patching: patching.parse(sections.get(patching.name)),
    scheduled: scheduled.parse(sections.get(scheduled.name)),
    updates: updates.parse(sections.get(updates.name)),
    livepatch: livepatch.parse(sections.get(livepatch.name)),
    services: services.parse(sections.get(services.name)),
  };
}
