import { failureMeanings, type FailureReason } from '../../failure';

/** What to do about each reason, in the order in which to try. */
const failureAdvice: Readonly<Record<FailureReason, readonly string[]>> = {
  dns: [
    'Resolve the address on the machine of the exporter: getent hosts ADDRESS.',
    'If the server has gone for good, take it out of the inventory.',
  ],
  connect: [
    'Look whether the server is up: its console, or a ping.',
    'From the machine of the exporter: nc -vz ADDRESS PORT. Refused means that sshd is down or listens elsewhere; no answer means a firewall or a wrong address.',
  ],
  timeout: [
    'The message says which step did not end. A slow login is often DNS on the server: set UseDNS no in sshd_config.',
    'A server under heavy load answers late: look at its load, or raise probe.timeout.',
  ],
  host_key: [
    'Do not accept the key unseen: this is also what an attack looks like.',
    'If the server was reinstalled, read its key on its own console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub.',
    'If they agree, put the new key into known_hosts and take the old line out. It is read again by itself.',
  ],
  auth: [
    "Look whether the exporter's public key is in the authorized_keys of its user on the server; reboot-exporter host-setup prints what to run.",
    'Look into the log of sshd on the server: it says why it refused.',
  ],
  protocol: [
    'Look whether it is sshd that listens on this port, and whether it refuses connections under load (MaxStartups).',
    'Look into the log of sshd on the server.',
  ],
  command: [
    'Look at the shell of the user on the server, and at ForceCommand and MaxSessions in sshd_config.',
    'With a forced command, install the probe program again: reboot-exporter host-setup prints it.',
  ],
  output: [
    'Log in as the same user and look what is printed without being asked for: a banner in .bashrc or in /etc/profile.',
    'With a forced command, install the probe program again: it may be from another version.',
  ],
  internal: ['Look into the log of the exporter, and please report what it says.'],
};

/** A failed probe in words: what its reason means, and what to do. Empty for a word that is no reason. */
export function explainFailure(reason: string | null): { readonly meaning: string; readonly steps: readonly string[] } {
  if (reason === null || !isReason(reason)) return { meaning: '', steps: [] };
  return { meaning: failureMeanings[reason], steps: failureAdvice[reason] };
}

function isReason(word: string): word is FailureReason {
  return Object.hasOwn(failureMeanings, word);
}

/** What helps when it can't be told whether a restart is needed. */
export const unknownAdvice: readonly string[] = [
  'The table of signals below says what could not be read, and why.',
  'On Debian without anything that writes /run/reboot-required, install unattended-upgrades or reboot-notifier: then a missing flag means something.',
];

/** How to restart a server well; the program that says this never restarts anything. */
export const restartSteps: readonly { readonly title: string; readonly text: string }[] = [
  {
    title: 'One at a time',
    text: 'Behind a load balancer, take this server out, restart it, wait until this page says that nothing is needed, put it back, and only then go on to the next.',
  },
  {
    title: 'Out of hours',
    text: "Use the maintenance window of its stack, or the hours when it is least used. An overdue server that is exposed can't wait for long.",
  },
  {
    title: 'By the server itself',
    text: 'Run sudo systemctl reboot on it. Do not stop and start it in the console of a cloud: that can move it to another machine and give it another public address.',
  },
  {
    title: 'Then look here',
    text: 'The page shows “restarting” while it is down and is right within seconds of its coming back. If it still says that a restart is needed, the restart did not take what was installed.',
  },
];
