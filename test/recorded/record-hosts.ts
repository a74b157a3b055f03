import { debianHosts } from './debian-hosts';
import { record } from './record';
import { rpmHosts } from './rpm-hosts';

/** `node --require ./test/lab/typescript-hook.cjs test/recorded/record-hosts.ts [FOLDER…]` */
async function main(names: readonly string[]): Promise<void> {
  const all = [...debianHosts, ...rpmHosts];
  for (const recording of all.filter(({ folder }) => names.length === 0 || names.includes(folder))) {
    await record(__dirname, recording);
    process.stdout.write(`${recording.folder}\n`);
  }
}

void main(process.argv.slice(2));
