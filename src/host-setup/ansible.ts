import { stringify } from 'yaml';
import { hostPlan } from './plan';

/** The same as the shell script, as a list of Ansible tasks. */
export function hostSetupAnsible(publicKey: string | null): string {
  const plan = hostPlan(publicKey);
  const owned = { owner: 'root', group: 'root' };
  const copy = (name: string, dest: string, mode: string, content: string, more = {}): object => ({
    name,
    'ansible.builtin.copy': { dest, content, ...owned, mode, ...more },
  });
  const tasks = [
    {
      name: 'User of reboot-exporter, without a password',
      'ansible.builtin.user': {
        name: plan.user,
        system: true,
        home: plan.home,
        create_home: false,
        shell: '/bin/sh',
        password: '*',
      },
    },
    {
      name: 'Folders that belong to root',
      'ansible.builtin.file': { path: '{{ item }}', state: 'directory', ...owned, mode: '0755' },
      loop: [plan.folder, plan.home, `${plan.home}/.ssh`],
    },
    // The probe has braces of its own: Jinja must leave them alone.
    copy('The probe', plan.probePath, '0755', raw(plan.probe)),
    copy('The wrapper that lists the firewall', plan.wrapperPath, '0755', raw(plan.wrapper)),
    copy(
      'The key, which can run the probe and nothing else',
      `${plan.home}/.ssh/authorized_keys`,
      '0644',
      plan.authorizedKeys,
    ),
    copy('Listing the firewall as root', plan.sudoersPath, '0440', plan.sudoers, { validate: 'visudo -q -c -f %s' }),
  ];
  return `# Tasks that set up a host for reboot-exporter; include them in a play with become: true.\n${stringify(tasks, { lineWidth: 0 })}`;
}

function raw(text: string): string {
  return `{% raw %}${text}{% endraw %}\n`;
}
