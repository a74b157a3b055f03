import { hostPlan } from './plan';

/** A shell script to be run once as root on each host; running it again renews what it set up. */
export function hostSetupShell(publicKey: string | null): string {
  const plan = hostPlan(publicKey);
  return `#!/bin/sh
# Sets up a host for reboot-exporter. Read it, then run it as root; running it again renews what it set up.
#
# - a system user without a password, ${plan.user}
# - ${plan.probePath}: the program that reads the restart state, owned by root
# - a key that can run that program and nothing else: no shell, no forwarding, no terminal
# - ${plan.sudoersPath}: that user may list the firewall's rules, and nothing else, as root
#
# To undo it: userdel -r ${plan.user}; rm -r ${plan.folder} ${plan.sudoersPath}
set -eu
umask 022

if ! id ${plan.user} >/dev/null 2>&1; then
  if command -v useradd >/dev/null; then
    useradd --system --user-group --home-dir ${plan.home} --no-create-home --shell /bin/sh ${plan.user}
  else
    addgroup -S ${plan.user}
    adduser -S -D -H -h ${plan.home} -s /bin/sh -G ${plan.user} ${plan.user}
  fi
fi
# No password can match "*", and unlike "!" it does not lock the account for keys.
if command -v usermod >/dev/null; then usermod -p '*' ${plan.user}; else sed -i 's/^${plan.user}:[^:]*:/${plan.user}:*:/' /etc/shadow; fi

# Everything below belongs to root: the user can change neither its key nor the program.
install -d -o root -g root -m 0755 ${plan.folder} ${plan.home} ${plan.home}/.ssh
${file(plan.probePath, '0755', plan.probe)}
${file(plan.wrapperPath, '0755', plan.wrapper)}
${file(`${plan.home}/.ssh/authorized_keys`, '0644', plan.authorizedKeys)}
if [ -d /etc/sudoers.d ] && command -v visudo >/dev/null; then
  new=$(mktemp)
  cat >"$new" <<'REBOOT_EXPORTER_END'
${plan.sudoers.trimEnd()}
REBOOT_EXPORTER_END
  visudo -q -c -f "$new"
  install -o root -g root -m 0440 "$new" ${plan.sudoersPath}
  rm -f "$new"
else
  echo 'sudo is not installed: the firewall will not be readable, and exposure is assumed' >&2
fi
echo 'Done. These lines go into known_hosts on the exporter, after the name or address it dials:'
cat /etc/ssh/ssh_host_*_key.pub
`;
}

function file(path: string, mode: string, content: string): string {
  return `cat >${path}.new <<'REBOOT_EXPORTER_END'
${content.trimEnd()}
REBOOT_EXPORTER_END
chown root:root ${path}.new
chmod ${mode} ${path}.new
mv ${path}.new ${path}`;
}
