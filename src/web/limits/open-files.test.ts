import { shareOfOpenFiles } from './open-files';

const head = 'Limit                     Soft Limit           Hard Limit           Units     \n';

it('leaves most of the files that may be open to probes', () => {
  expect(
    shareOfOpenFiles(() => `${head}Max open files            1024                 524288               files     \n`),
  ).toBe(256);
  expect(
    shareOfOpenFiles(() => `${head}Max open files            8                    8                    files     \n`),
  ).toBe(16);
});

it('knows no bound where the system tells none', () => {
  expect(
    shareOfOpenFiles(() => `${head}Max open files            unlimited            unlimited            files     \n`),
  ).toBe(Infinity);
  expect(shareOfOpenFiles(() => '')).toBe(Infinity);
});

it('reads the limit of this process', () => {
  expect(shareOfOpenFiles()).toBeGreaterThanOrEqual(16);
});
