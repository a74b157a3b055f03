import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { startDemo, type RunningDemo } from '../../src/demo/run-demo';
import { until } from '../e2e/until';
import { describeWith } from '../fixture/programs';

const page = readFileSync(join(__dirname, '../../docs/deploy-hook.md'), 'utf8');
const token = 'a-token-for-deploys';

/** The blocks of a language in the page. */
function blocks(language: string): string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, text = '']) => text);
}

/** The shell commands of the page, whatever they are wrapped in. */
function commands(): [string, string][] {
  const [actions, gitlab] = blocks('yaml').map((text) => parse(text) as unknown);
  const inActions = (actions as [{ run: string }])[0].run;
  const inGitlab = (gitlab as { 'tell-reboot-exporter': { script: [string] } })['tell-reboot-exporter'].script[0];
  const inJenkins = /sh '''(.*)'''/s.exec(blocks('groovy')[0] ?? '')?.[1] ?? '';
  return [
    ['curl', blocks('sh')[0] ?? ''],
    ['GitHub Actions', inActions],
    ['GitLab CI', inGitlab],
    ['Jenkins', inJenkins],
  ];
}

describeWith(['curl'], 'the examples of the deploy hook', () => {
  let demo: RunningDemo;
  beforeAll(async () => {
    demo = await startDemo({ listen: { host: '127.0.0.1', port: 0 }, say: () => undefined, pauseSeconds: 0 });
    const tokenFile = join(demo.configFile, '..', 'token');
    writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 });
    writeFileSync(demo.configFile, `${readFileSync(demo.configFile, 'utf8')}web: { refresh_token_file: token }\n`);
    // The file is watched: once it counts, a call without the token is refused.
    await until(30, async () => {
      const answer = await fetch(`${demo.url}/api/v1/refresh?stack=shop`, { method: 'POST' });
      expect(answer.status).toBe(401);
    });
  }, 60_000);
  afterAll(() => demo?.stop());

  function shell(command: string, said = token): Promise<{ code: number; stdout: string }> {
    const env = { PATH: process.env['PATH'], REBOOT_EXPORTER_URL: demo.url, REBOOT_EXPORTER_TOKEN: said };
    return new Promise((resolve) => {
      const child = execFile('sh', ['-c', command], { env }, (_error, stdout) =>
        resolve({ code: child.exitCode ?? -1, stdout }),
      );
    });
  }

  test.each(commands())('%s: the command works as it stands', async (_where, command) => {
    expect(command).toContain('/api/v1/refresh?stack=shop');
    const { code, stdout } = await shell(command);
    expect(code).toBe(0);
    const answer = JSON.parse(stdout) as { id: string; hosts: string[] };
    expect(answer.hosts.sort()).toEqual(['api-1', 'db-1', 'db-2', 'web-1', 'web-2', 'web-3']);
  });

  test('curl fails with a wrong token, and says what it was told', async () => {
    const { code } = await shell(blocks('sh')[0] ?? '', 'another');
    expect(code).toBe(22);
  });

  test('the one that waits gets everything known of the hosts', async () => {
    const [asked = '', filter] = (blocks('sh')[1] ?? '').split('|\n');
    expect(filter).toContain('jq');
    const answer = JSON.parse((await shell(asked)).stdout) as {
      hosts: { host: string; restart: { verdict: string; reasons: string[] } }[];
    };
    const web = answer.hosts.find(({ host }) => host === 'web-1');
    expect(web?.restart).toMatchObject({
      verdict: 'required',
      reasons: expect.arrayContaining(['kernel']) as string[],
    });
  });

  test("Ansible's task calls the same", () => {
    const task = (
      parse(blocks('yaml')[2] ?? '') as [
        Record<string, { url: string; method: string; headers: Record<string, string> }>,
      ]
    )[0];
    expect(task['ansible.builtin.uri']).toMatchObject({
      url: '{{ reboot_exporter_url }}/api/v1/refresh?stack=shop',
      method: 'POST',
      headers: { Authorization: 'Bearer {{ reboot_exporter_token }}' },
    });
  });
});
