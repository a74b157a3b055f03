import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { proxyPasswordFault, ProxyPasswords } from './proxy-password';

describe('the password for a proxy', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'reboot-exporter-proxy-'));
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  test('is read from its file, and can not be printed', async () => {
    const path = join(directory, 'password');
    writeFileSync(path, 'me:se:cret\n');
    const login = await new ProxyPasswords(() => 0).read(path);
    expect([login?.user, login?.reveal()]).toEqual(['me', 'se:cret']);
    expect(inspect(login, { showHidden: true, depth: 9 }) + JSON.stringify(login) + String(login)).not.toContain(
      'cret',
    );
  });

  test('is none where no file is named', async () => {
    expect(await new ProxyPasswords(() => 0).read(null)).toBeNull();
  });

  test.each(['', 'me', ':secret', 'me:', 'me:a\nb', `me:${'x'.repeat(256)}`, `${'x'.repeat(256)}:a`])(
    'is not %j, and is not quoted',
    async (text) => {
      const path = join(directory, 'password');
      writeFileSync(path, text);
      expect(proxyPasswordFault(text)).toMatch(/^must hold `user:password`/);
      const read = new ProxyPasswords(() => 0).read(path);
      await expect(read).rejects.toMatchObject({ reason: 'auth' });
      await expect(read).rejects.not.toThrow(/secret/);
    },
  );

  test('is missing with its file', async () => {
    const path = join(directory, 'gone');
    await expect(new ProxyPasswords(() => 0).read(path)).rejects.toMatchObject({
      reason: 'auth',
      message: `the proxy's password file ${path} can't be used: it does not exist`,
    });
  });
});
