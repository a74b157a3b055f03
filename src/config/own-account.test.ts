import { spawnSync } from 'node:child_process';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { describeWith } from '../../test/fixture/programs';
import { homeFolder, ownAccount } from './own-account';

const hook = join(__dirname, '../../test/lab/typescript-hook.cjs');
const asNobodyKnows = `
  process.setgroups?.([]);
  process.setgid(3999999999); process.setuid(3999999999);
  for (const [key, value] of Object.entries(JSON.parse(process.argv[1]))) process.env[key] = value;
  console.log(JSON.stringify(account()));
`;

function askedAsUnknown(environment: Record<string, string>): unknown {
  const program = `const { ownAccount: account } = require(${JSON.stringify(join(__dirname, 'own-account.ts'))}); delete process.env.HOME; ${asNobodyKnows}`;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--require', hook, '-e', program, JSON.stringify(environment)],
    {
      encoding: 'utf8',
    },
  );
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

describe('the own account', () => {
  test('is what the system says', () => {
    const { username, uid } = userInfo();
    expect(ownAccount()).toEqual({ user: username, userId: uid, home: homedir() });
    expect(homeFolder()).toBe(homedir());
  });
});

describeWith(['root'], 'the own account, of a user whom no passwd file knows', () => {
  test('goes by its number', () => {
    expect(askedAsUnknown({})).toEqual({ user: '3999999999', userId: 3999999999, home: '/' });
    expect(askedAsUnknown({ HOME: '/work' })).toEqual({ user: '3999999999', userId: 3999999999, home: '/work' });
  });
});
