import { whatIsMissing } from './requirements';

/**
 * A block of tests that needs the lab. On a machine that cannot have it the block is skipped, and a line each
 * says what is missing and how to get it. In CI (`CI=true`) nothing is skipped: what is missing fails the run.
 */
export function describeWithLab(name: string, tests: () => void): void {
  const missing = whatIsMissing();
  if (missing.length === 0) {
    describe(name, tests);
    return;
  }
  if (process.env['CI'] === 'true') {
    throw new Error(`the lab cannot run here, and CI must not skip it:\n${missing.join('\n')}`);
  }
  process.stderr.write(missing.map((line) => `skipped "${name}": missing ${line}\n`).join(''));
  describe.skip(name, tests);
}
