import type { StackPolicy } from './policy';

const daySeconds = 86_400;

/**
 * The thresholds of a configuration that gives none; docs/policy.md names where each figure comes from.
 *
 * Exposed hosts turn critical a day before the 15 days that CISA's BOD 19-02 gives for critical vulnerabilities of
 * systems that the internet can reach; internal ones at the 30 days of its high ones, which is PCI DSS' month as well.
 */
export const defaultPolicy: StackPolicy = {
  exposed: { warningAfterSeconds: 3 * daySeconds, criticalAfterSeconds: 14 * daySeconds },
  internal: { warningAfterSeconds: 14 * daySeconds, criticalAfterSeconds: 30 * daySeconds },
  maintenanceWindow: null,
};
