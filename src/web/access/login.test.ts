import type { PasswordWorker } from './password-worker';
import { createLogin } from './login';

const hashOfAlice = `$2y$12$${'a'.repeat(53)}`;
const users = new Map([['alice', hashOfAlice]]);

/** A worker that counts, and for which the password is right that is `right`. */
function countingWorker(): PasswordWorker & { readonly checked: { password: string; hash: string }[] } {
  const checked: { password: string; hash: string }[] = [];
  return {
    checked,
    check(password, hash) {
      checked.push({ password, hash });
      return Promise.resolve(password === 'right');
    },
    close: () => Promise.resolve(),
  };
}

it('asks for bcrypt once for each login, right or wrong', async () => {
  const worker = countingWorker();
  const login = createLogin(worker);
  for (let i = 0; i < 3; i++) {
    expect(await login.check(users, { user: 'alice', password: 'right' })).toBe('granted');
    expect(await login.check(users, { user: 'alice', password: 'wrong' })).toBe('refused');
  }
  expect(worker.checked).toHaveLength(2);
});

it('does the same work for a user who is not known, and never lets one in', async () => {
  const worker = countingWorker();
  const login = createLogin(worker);
  expect(await login.check(users, { user: 'mallory', password: 'right' })).toBe('refused');
  expect(worker.checked).toHaveLength(1);
  expect(worker.checked[0]?.hash).toMatch(/^\$2b\$12\$.{53}$/);
  expect(await login.check(new Map(), { user: 'alice', password: 'right' })).toBe('refused');
});

it('forgets a login whose hash was exchanged or whose user was removed', async () => {
  const worker = countingWorker();
  const login = createLogin(worker);
  await login.check(users, { user: 'alice', password: 'right' });
  await login.check(new Map([['alice', `$2y$12$${'b'.repeat(53)}`]]), { user: 'alice', password: 'right' });
  expect(worker.checked).toHaveLength(2);
  expect(await login.check(new Map([['bob', hashOfAlice]]), { user: 'alice', password: 'right' })).toBe('refused');
});

it('keeps users and passwords apart', async () => {
  const worker = countingWorker();
  const login = createLogin(worker);
  const both = new Map([
    ['a', hashOfAlice],
    ['ar', hashOfAlice],
  ]);
  await login.check(both, { user: 'ar', password: 'ight' });
  expect(await login.check(both, { user: 'a', password: 'right' })).toBe('granted');
});

it('is not made to ask again by a flood of wrong guesses', async () => {
  const worker = countingWorker();
  const login = createLogin(worker);
  await login.check(users, { user: 'alice', password: 'right' });
  for (let i = 0; i < 300; i++) await login.check(users, { user: 'alice', password: `guess ${i}` });
  expect(await login.check(users, { user: 'alice', password: 'right' })).toBe('granted');
  expect(worker.checked).toHaveLength(301);
});

it('says so when too many logins are being checked', async () => {
  const busy: PasswordWorker = { check: () => Promise.resolve(null), close: () => Promise.resolve() };
  expect(await createLogin(busy).check(users, { user: 'alice', password: 'right' })).toBe('busy');
});
