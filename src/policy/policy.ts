/** After how long a needed restart becomes a warning, then critical. Seconds; 0 means at once. */
export interface Thresholds {
  readonly warningAfterSeconds: number;
  readonly criticalAfterSeconds: number;
}

/** When a stack may be restarted: from each time the cron expression matches, for the duration. */
export interface MaintenanceWindow {
  readonly cron: string;
  readonly durationSeconds: number;
  /** An IANA time zone name; its clock changes are honoured. */
  readonly timezone: string;
}

/** How urgent a restart is for the hosts of one stack. */
export interface StackPolicy {
  readonly exposed: Thresholds;
  readonly internal: Thresholds;
  readonly maintenanceWindow: MaintenanceWindow | null;
}
