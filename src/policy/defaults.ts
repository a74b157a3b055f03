import type { StackPolicy } from './policy';

const daySeconds = 86_400;

/**
 * The thresholds of a configuration that gives none. 14 days for what the internet can reach and a month for the rest
 * are in Australia's Essential Eight, 14 days for everything in the United Kingdom's Cyber Essentials, 3 and 14 days for
 * what is exposed in CISA's BOD 26-04, a month in PCI DSS 6.3.3; docs/policy.md cites them.
 */
export const defaultPolicy: StackPolicy = {
  exposed: { warningAfterSeconds: 3 * daySeconds, criticalAfterSeconds: 14 * daySeconds },
  internal: { warningAfterSeconds: 14 * daySeconds, criticalAfterSeconds: 30 * daySeconds },
  maintenanceWindow: null,
};
