import { homedir, userInfo } from 'node:os';

/** The account that this program runs as. */
export interface OwnAccount {
  readonly user: string;
  readonly userId: number;
  readonly home: string;
}

/**
 * Containers run as users that no passwd file knows, and asking the system for their name or home folder is an error then: such
 * a user goes by its number, and has the folder of `HOME` or else `/`.
 */
export function ownAccount(): OwnAccount {
  const userId = process.getuid?.() ?? 0;
  return { user: orElse(() => userInfo().username, String(userId)), userId, home: homeFolder() };
}

/** The folder that `~` stands for. */
export function homeFolder(): string {
  return orElse(homedir, '/');
}

function orElse(ask: () => string, otherwise: string): string {
  try {
    return ask();
  } catch {
    return otherwise;
  }
}
