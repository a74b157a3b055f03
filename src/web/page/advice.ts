import { failureMeanings, type FailureReason } from '../../failure';
import { markup, type Html } from './markup';

/** What to do about each reason, in the order in which to try. */
const failureAdvice: Readonly<Record<FailureReason, readonly Html[]>> = {
  dns: [
    markup`Resolve the address on the machine of the exporter: <code>getent hosts ADDRESS</code>.`,
    markup`If the server has gone for good, take it out of the inventory.`,
  ],
  connect: [
    markup`Look whether the server is up: its console, or a ping.`,
    markup`From the machine of the exporter: <code>nc -vz ADDRESS PORT</code>. Refused means that sshd is down or listens elsewhere; no answer means a firewall or a wrong address.`,
  ],
  timeout: [
    markup`The message says which step did not end. A slow login is often DNS on the server: set <code>UseDNS no</code> in sshd_config.`,
    markup`A server under heavy load answers late: look at its load, or raise <code>probe.timeout</code>.`,
  ],
  host_key: [
    markup`Do not accept the key unseen: this is also what an attack looks like.`,
    markup`If the server was reinstalled, read its key on its own console: <code>ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub</code>.`,
    markup`If they agree, put the new key into <code>known_hosts</code> and take the old line out. It is read again by itself.`,
  ],
  auth: [
    markup`Look whether the exporter's public key is in the <code>authorized_keys</code> of its user on the server; <code>reboot-exporter host-setup</code> prints what to run.`,
    markup`Look into the log of sshd on the server: it says why it refused.`,
  ],
  protocol: [
    markup`Look whether it is sshd that listens on this port, and whether it refuses connections under load (<code>MaxStartups</code>).`,
    markup`Look into the log of sshd on the server.`,
  ],
  command: [
    markup`Look at the shell of the user on the server, and at <code>ForceCommand</code> and <code>MaxSessions</code> in sshd_config.`,
    markup`With a forced command, install the probe program again: <code>reboot-exporter host-setup</code> prints it.`,
  ],
  output: [
    markup`Log in as the same user and look what is printed without being asked for: a banner in <code>.bashrc</code> or in <code>/etc/profile</code>.`,
    markup`With a forced command, install the probe program again: it may be from another version.`,
  ],
  internal: [markup`Look into the log of the exporter, and please report what it says.`],
};

/** A failed probe in words: what its reason means, and what to do. Empty for a word that is no reason. */
export function explainFailure(reason: string | null): { readonly meaning: string; readonly steps: readonly Html[] } {
  if (reason === null || !isReason(reason)) return { meaning: '', steps: [] };
  return { meaning: failureMeanings[reason], steps: failureAdvice[reason] };
}

function isReason(word: string): word is FailureReason {
  return Object.hasOwn(failureMeanings, word);
}

/** What helps when it can't be told whether a restart is needed. */
export const unknownAdvice: readonly Html[] = [
  markup`The table of signals below says what could not be read, and why.`,
  markup`On Debian without anything that writes <code>/run/reboot-required</code>, install <code>unattended-upgrades</code> or <code>reboot-notifier</code>: then a missing flag means something.`,
];

/** How to restart a server well; the program that says this never restarts anything. */
export const restartSteps: readonly { readonly title: string; readonly text: Html }[] = [
  {
    title: 'One at a time',
    text: markup`Behind a load balancer, take this server out, restart it, wait until this page says that nothing is needed, put it back, and only then go on to the next.`,
  },
  {
    title: 'Out of hours',
    text: markup`Use the maintenance window of its stack, or the hours when it is least used. An overdue server that is exposed can't wait for long.`,
  },
  {
    title: 'By the server itself',
    text: markup`Run <code>sudo systemctl reboot</code> on it. Do not stop and start it in the console of a cloud: that can move it to another machine and give it another public address.`,
  },
  {
    title: 'Then look here',
    text: markup`The page shows “restarting” while it is down and is right within seconds of its coming back. If it still says that a restart is needed, the restart did not take what was installed.`,
  },
];
