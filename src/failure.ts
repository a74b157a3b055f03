/**
 * Why a probe failed. One closed set: the same words are the `reason` label of
 * `reboot_probe_failures_total`, the field in the log and in the JSON, and the
 * rows of the table in docs/failure-reasons.md.
 */
export const failureReasons = [
  'dns',
  'connect',
  'timeout',
  'host_key',
  'auth',
  'protocol',
  'command',
  'output',
  'internal',
] as const;

/** A word of the closed set of failure reasons. */
export type FailureReason = (typeof failureReasons)[number];

/** What each reason means and what to look at first; printed in the docs and on the status page. */
export const failureMeanings: Record<FailureReason, string> = {
  dns: 'The address could not be resolved.',
  connect:
    'No TCP connection: refused, unreachable, or reset before SSH began; or a bastion or proxy did not lead there.',
  timeout:
    'The whole probe did not end within probe.timeout, or the way to the host was not found within ssh.connect_timeout; the message says at which step it was.',
  host_key:
    'The host key is unknown, revoked, or not the one in known_hosts, or the host certificate is not accepted. Nothing was sent.',
  auth: "The host refused the key or the user, or a key file, its passphrase, a certificate or the agent can't be used.",
  protocol: 'The peer did not speak SSH as expected, or dropped the connection on the way.',
  command:
    'Logged in, but the host would not run /bin/sh (MaxSessions, a restricted account, a forced password change).',
  output: 'The answer was not a probe report: cut off, malformed, or larger than the bound.',
  internal: 'A fault of the exporter itself; please report it.',
};

/** A probe that failed, with its reason; `message` is for people and never holds a secret. */
export class ProbeFailure extends Error {
  readonly reason: FailureReason;

  constructor(reason: FailureReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ProbeFailure';
    this.reason = reason;
  }
}
