import { ProbeFailure } from '../failure';
import { FileFault, WatchedFile } from './watched-file';

/** RFC 1929, section 2: user and password have one to 255 bytes each. */
const maxPartBytes = 255;
const maxFileBytes = 4096;

/** What a SOCKS proxy is told of who we are. The password shows in no property, no JSON and no inspection. */
export class ProxyLogin {
  readonly user: string;
  readonly #password: string;

  constructor(user: string, password: string) {
    this.user = user;
    this.#password = password;
  }

  /** The password, for the proxy alone. */
  reveal(): string {
    return this.#password;
  }
}

/** Why a text is no `user:password`, for people and without any of it; null if it is one. */
export function proxyPasswordFault(text: string): string | null {
  return readLogin(text) === null
    ? `must hold \`user:password\` on one line, each of at most ${maxPartBytes} bytes`
    : null;
}

function readLogin(text: string): ProxyLogin | null {
  const line = text.replace(/\r?\n$/, '');
  const colon = line.indexOf(':');
  if (colon < 1 || /[\r\n\0]/.test(line)) return null;
  const [user, password] = [line.slice(0, colon), line.slice(colon + 1)];
  const fits = [user, password]
    .map((part) => Buffer.byteLength(part))
    .every((bytes) => bytes >= 1 && bytes <= maxPartBytes);
  return fits ? new ProxyLogin(user, password) : null;
}

/** The passwords of proxies, each file read again when it has changed. */
export class ProxyPasswords {
  readonly #files = new Map<string, WatchedFile<ProxyLogin>>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** What a file says now; null where there is none. Throws a ProbeFailure `auth`. */
  async read(path: string | null): Promise<ProxyLogin | null> {
    if (path === null) return null;
    let file = this.#files.get(path);
    if (file === undefined) {
      file = new WatchedFile(path, maxFileBytes, parseLogin, this.#nowMs);
      this.#files.set(path, file);
    }
    try {
      return await file.read();
    } catch (error) {
      if (!(error instanceof FileFault)) throw error;
      throw new ProbeFailure('auth', `the proxy's password file ${path} can't be used: ${error.message}`);
    }
  }
}

function parseLogin(bytes: Buffer): ProxyLogin {
  const text = bytes.toString('utf8');
  const login = readLogin(text);
  if (login === null) throw new FileFault(`it ${proxyPasswordFault(text) ?? 'is empty'}`);
  return login;
}
