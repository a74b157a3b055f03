import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkConfig } from './check-config';

describe('check-config', () => {
  let folder: string;
  let config: string;
  let said: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'check-config-'));
    config = join(folder, 'reboot-exporter.yml');
    writeFileSync(config, 'hosts: []\n');
    said = '';
    for (const stream of [process.stdout, process.stderr]) {
      jest.spyOn(stream, 'write').mockImplementation((text) => {
        said += String(text);
        return true;
      });
    }
  });

  afterEach(() => {
    jest.restoreAllMocks();
    rmSync(folder, { recursive: true, force: true });
  });

  function web(text: string): string {
    const file = join(folder, 'web.yml');
    writeFileSync(file, text);
    return file;
  }

  it('says that a configuration is good, with the web configuration and without', async () => {
    const file = web('basic_auth_users: { alice: "$2y$10$abcdefghijklmnopqrstuuNNrqzGkcmkXzxy0KtvOTxnTmdDTBBqS" }\n');
    expect(await checkConfig(config, null)).toBe(0);
    expect(said).toContain(`${config}: ok, 0 hosts in 1 stacks\n`);
    expect(said).not.toContain('web.yml');
    expect(await checkConfig(config, file)).toBe(0);
    expect(said).toContain(`${file}: ok\n`);
  });

  it('tells the faults of both files, each with its place, and no password', async () => {
    writeFileSync(config, 'hosts: 5\n');
    const file = web('basic_auth_users:\n  alice: hunter2\nrate_limits: {}\n');
    expect(await checkConfig(config, file)).toBe(1);
    expect(said).toMatch(new RegExp(`^${config}:1:8: hosts`, 'm'));
    expect(said).toMatch(new RegExp(`^${file}:2:10: basic_auth_users.alice`, 'm'));
    expect(said).toMatch(new RegExp(`^${file}:3:1: `, 'm'));
    expect(said).not.toContain('hunter2');
  });

  it('tells of a web configuration that is not there, and of what is weak in one', async () => {
    expect(await checkConfig(config, `${config}.none`)).toBe(1);
    expect(said).toContain(`${config}.none:1:1: does not exist\n`);
    said = '';
    expect(await checkConfig(config, web('http_server_config: { http2: true }\n'))).toBe(0);
    expect(said).toMatch(/^warning: .*web\.yml:1:/m);
  });
});
