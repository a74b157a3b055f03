import { z } from 'zod';
import { sourceSchema } from '../inventory/sources';
import { cron, duration, path, schedule, timezone } from './schema-fields';
import { exposureSchema, hostSchema, sshSchema, stackNameSchema } from './schema-host';

/** Node's timers hold 2^31-1 milliseconds; one set longer fires at once. */
const longestTimerSeconds = 24 * 86_400;

const thresholdsSchema = (who: string) =>
  z
    .strictObject({
      warning_after: duration()
        .optional()
        .meta({ description: `After how long a needed restart of ${who} is a warning; 0 is at once.` }),
      critical_after: duration()
        .optional()
        .meta({ description: `After how long a needed restart of ${who} is critical; 0 is at once.` }),
    })
    .meta({ description: `Thresholds of ${who}.` });

export const policySchema = z
  .strictObject({
    exposed: thresholdsSchema('exposed hosts').optional(),
    internal: thresholdsSchema('internal hosts').optional(),
  })
  .meta({
    id: 'policy',
    description:
      'How urgent a needed restart is. Exposed hosts are those that the internet can reach, or may be able to. What a stack leaves out it takes from the policy at the top, threshold by threshold.',
  });

const maintenanceWindowSchema = z
  .strictObject({
    cron: cron().meta({ description: 'When the window opens, such as "0 2 * * 0" for Sundays at two.' }),
    duration: duration({ min: 1, max: 366 * 86_400 }).meta({ description: 'How long it stays open, such as 3h.' }),
    timezone: timezone()
      .optional()
      .meta({ description: 'An IANA time zone; its clock changes are honoured. Default: UTC.' }),
  })
  .meta({ description: 'When this stack may be restarted. Shown and exported; this program never restarts anything.' });

const stackSchema = z
  .strictObject({
    policy: policySchema.optional(),
    maintenance_window: maintenanceWindowSchema.optional(),
    ssh: sshSchema.optional(),
    exposure: exposureSchema.optional(),
  })
  .meta({ id: 'stack', description: 'What holds for the hosts of one stack.' });

const probeSchema = z
  .strictObject({
    schedule: schedule().optional().meta({
      description:
        'When hosts are probed, as cron; spread with jitter over the period. Or give interval. never: only when asked for, by /probe or a refresh. Default: "*/5 * * * *".',
    }),
    interval: duration({ min: 1, max: longestTimerSeconds })
      .optional()
      .meta({ description: 'How often hosts are probed, such as 5m; instead of schedule.' }),
    timeout: duration({ min: 0.1, max: 3600 })
      .optional()
      .meta({ description: 'How long one probe may take, from start to end. Default: 10s.' }),
    concurrency: z.int().min(1).max(10_000).optional().meta({ description: 'Probes in flight at once. Default: 64.' }),
    stale_after: duration({ min: 1 }).optional().meta({
      description:
        'How long the last known state of a host that stopped answering is kept. Default: 1h, or three periods where that is longer.',
    }),
    exposure_interval: duration({ min: 1 })
      .optional()
      .meta({ description: 'How often the firewall is read when nothing shows that it changed. Default: 1h.' }),
  })
  .meta({ description: 'When and within which bounds hosts are probed.' });

const webSchema = z
  .strictObject({
    refresh_token_file: path().optional().meta({
      description:
        'A file with the bearer token that refresh calls must carry. Relative to this file. Left out: none is asked for.',
    }),
  })
  .meta({ description: 'The HTTP side.' });

const stacksSchema = z
  .record(stackNameSchema, stackSchema)
  .meta({ description: 'Settings by stack. A stack that only a host names has the defaults.' });
const hostsSchema = z.array(hostSchema).meta({ description: 'The servers.' });

/** What an included file may hold; all else is for the whole fleet, and belongs in one place. */
const fragmentShape = {
  stacks: stacksSchema.optional(),
  hosts: hostsSchema.optional(),
  inventory: z
    .array(sourceSchema)
    .optional()
    .meta({ description: 'Where more hosts come from; read again when they change.' }),
};

/** An included file as it is written. */
export const fragmentSchema = z.strictObject(fragmentShape).meta({
  title: 'reboot-exporter configuration fragment',
  description: 'A file that `include` of a configuration names.',
});

/** The configuration file as it is written; unknown keys are refused. */
export const configSchema = z
  .strictObject({
    probe: probeSchema.optional(),
    ssh: sshSchema.optional(),
    web: webSchema.optional(),
    policy: policySchema.optional(),
    ...fragmentShape,
    include: z.array(path()).min(1).optional().meta({
      description:
        'More files with stacks, hosts and inventory; `*` in the last part stands for any characters. Relative to this file.',
    }),
  })
  .meta({ title: 'reboot-exporter configuration', description: 'Configuration of reboot-exporter.' });

export type ConfigInput = z.output<typeof configSchema>;
export type FragmentInput = z.output<typeof fragmentSchema>;
export type StackInput = z.output<typeof stackSchema>;
export type PolicyInput = z.output<typeof policySchema>;
