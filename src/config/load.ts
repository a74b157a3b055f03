import { createConfigLoader, type LoadResult } from './loader';

/** Reads a configuration and everything that it names, once; see `createConfigLoader` for more than once. */
export function loadConfig(path: string): Promise<LoadResult> {
  return createConfigLoader(path).load();
}

export type { LoadResult };
