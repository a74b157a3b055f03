import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { whatIsMissing } from './requirements';

const hook = path.join(__dirname, 'typescript-hook.cjs');
const ask = `process.stdout.write(JSON.stringify(require('${path.join(__dirname, 'requirements')}').whatIsMissing()))`;

function missingElsewhere(how: readonly string[], env: NodeJS.ProcessEnv = process.env): string[] {
  const [command = '', ...rest] = [...how, process.execPath, '--require', hook, '--eval', ask];
  const { stdout, stderr } = spawnSync(command, rest, { encoding: 'utf8', env });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as string[];
}

describe('what is missing for the lab', () => {
  const root = process.getuid?.() === 0;
  const asNobody = root ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [];

  test('root, for who is not root', () => {
    expect(missingElsewhere(asNobody)[0]).toMatch(/^root: .*sudo/);
  });

  test('is a line each', () => {
    for (const line of [...whatIsMissing(), ...missingElsewhere(asNobody)]) {
      expect(line).toMatch(/^[^\n]+: [^\n]+$/);
    }
  });

  test('namespaces, for a root that may not make them', () => {
    const without = root ? ['setpriv', '--bounding-set=-sys_admin', '--inh-caps=-sys_admin'] : [];
    expect(missingElsewhere(without)[0]).toMatch(root ? /^namespaces .*privileged/ : /^root: /);
  });
});

describe('a block of tests that needs the lab', () => {
  const environment = process.env;
  const skip = jest.spyOn(describe, 'skip').mockImplementation(() => undefined);
  const told: string[] = [];

  function describeWhereMissing(missing: readonly string[], ci: string | undefined): void {
    process.env = { ...environment, CI: ci };
    jest.isolateModules(() => {
      jest.doMock('./requirements', () => ({ whatIsMissing: () => missing }));
      const module = jest.requireActual<typeof import('./describe-with-lab')>('./describe-with-lab');
      module.describeWithLab('some tests', () => undefined);
    });
  }

  beforeEach(() => {
    told.length = 0;
    jest.spyOn(process.stderr, 'write').mockImplementation((text) => told.push(String(text)) > 0);
  });

  afterEach(() => {
    process.env = environment;
    jest.restoreAllMocks();
  });

  test('is skipped where something is missing, and says what', () => {
    describeWhereMissing(['sshd: apt-get install openssh-server'], undefined);
    expect(skip).toHaveBeenCalledTimes(1);
    expect(told.join('')).toBe('skipped "some tests": missing sshd: apt-get install openssh-server\n');
  });

  test('fails in CI instead', () => {
    expect(() => describeWhereMissing(['sshd: apt-get install openssh-server'], 'true')).toThrow('apt-get install');
  });
});
