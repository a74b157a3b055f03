import { createHmac, randomBytes } from 'node:crypto';
import { costOf } from '../settings/load';
import type { Credentials } from './basic-credentials';
import type { PasswordWorker } from './password-worker';

/** The outcome of a login; `busy` where too many checks wait to begin this one. */
export type LoginOutcome = 'granted' | 'refused' | 'busy';

/** Decides logins by user and password. */
export interface Login {
  check(users: ReadonlyMap<string, string>, credentials: Credentials): Promise<LoginOutcome>;
}

/** Outcomes that are remembered of each kind. */
const maxRemembered = 100;

/**
 * Logins against bcrypt hashes. An outcome is remembered under a keyed hash of user, password and bcrypt hash, so that
 * a scrape pays for bcrypt once and neither password nor anything that could be reversed into it is kept. For a user
 * who is not known, the same work is done on a hash of the same cost: the time does not tell who exists.
 */
export function createLogin(worker: PasswordWorker): Login {
  const key = randomBytes(32);
  // Apart, so that wrong guesses push no right one out.
  const remembered = { granted: new Set<string>(), refused: new Set<string>() };
  return {
    async check(users, { user, password }) {
      const known = users.get(user);
      const hash = known ?? standIn(users);
      const fingerprint = fingerprintOf(key, [user, password, hash]);
      if (remembered.granted.has(fingerprint)) return 'granted';
      if (remembered.refused.has(fingerprint)) return 'refused';
      const isRight = await worker.check(password, hash);
      if (isRight === null) return 'busy';
      const outcome = isRight && known !== undefined ? 'granted' : 'refused';
      remember(remembered[outcome], fingerprint);
      return outcome;
    },
  };
}

/** A hash that no password is known for, of the highest cost among the users'. */
function standIn(users: ReadonlyMap<string, string>): string {
  const cost = Math.max(10, ...[...users.values()].map(costOf));
  return `$2b$${String(cost).padStart(2, '0')}$${'.'.repeat(53)}`;
}

function fingerprintOf(key: Buffer, parts: readonly string[]): string {
  const hmac = createHmac('sha256', key);
  // The length in front keeps parts apart: ("a", "bc") is not ("ab", "c").
  for (const part of parts) hmac.update(`${Buffer.byteLength(part)}:`).update(part);
  return hmac.digest('base64');
}

function remember(set: Set<string>, fingerprint: string): void {
  const [oldest] = set;
  if (set.size >= maxRemembered && oldest !== undefined) set.delete(oldest);
  set.add(fingerprint);
}
