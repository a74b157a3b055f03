import { inspect } from 'node:util';
import { Secret } from './secret';

it('shows itself to nobody who does not ask', () => {
  const secret = new Secret('hunter2');
  const shown = [
    `${secret}`,
    String(secret),
    JSON.stringify({ secret }),
    inspect({ secret }, { showHidden: true, depth: null }),
    Object.values(secret).join(),
    JSON.stringify({ ...secret }),
    inspect(new Error('failed', { cause: secret })),
  ];
  for (const text of shown) expect(text).not.toContain('hunter2');
  expect(() => structuredClone(secret)).not.toThrow();
  expect(secret.reveal()).toBe('hunter2');
});
