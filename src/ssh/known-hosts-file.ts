import { ProbeFailure } from '../failure';
import { KnownHosts } from './known-hosts';
import { FileFault, WatchedFile } from './watched-file';

/** Room for a hundred thousand keys; a larger file is taken for a mistake. */
const maxFileBytes = 64 * 1024 * 1024;

/** The known_hosts files that hosts name, each read once and again when it has changed. */
export class KnownHostsFiles {
  readonly #files = new Map<string, WatchedFile<KnownHosts>>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /**
   * The present content of a file. Where it can't be read no host can be
   * verified, so that is a `host_key` failure of each: an older version is not used, since a
   * key may have been revoked meanwhile.
   */
  async read(path: string): Promise<KnownHosts> {
    let file = this.#files.get(path);
    if (file === undefined) {
      file = new WatchedFile(path, maxFileBytes, (bytes) => KnownHosts.parse(bytes.toString('latin1')), this.#nowMs);
      this.#files.set(path, file);
    }
    try {
      return await file.read();
    } catch (error) {
      if (!(error instanceof FileFault)) throw error;
      throw new ProbeFailure('host_key', `no host key can be checked: ${path} can't be read: ${error.message}`, {
        cause: error,
      });
    }
  }
}
