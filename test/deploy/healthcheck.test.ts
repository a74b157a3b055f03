import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { startExporter, type Exporter } from '../../src/exporter';
import { createLogger } from '../../src/logging/logger';
import { createAuthority, temporaryFolder } from '../web/certificates';

const program = join(__dirname, '../../deploy/container/healthcheck.js');
let folder: string;
let exporter: Exporter | null = null;

beforeAll(() => {
  folder = temporaryFolder();
  const authority = createAuthority(folder, 'authority');
  authority.issue('server', ['DNS:exporter.example.org']);
  writeFileSync(join(folder, 'reboot-exporter.yml'), 'hosts: []\n');
});
afterEach(async () => {
  await exporter?.stop();
  exporter = null;
});

async function serve(webConfig: string): Promise<string> {
  const webConfigFile = join(folder, 'web.yml');
  writeFileSync(webConfigFile, webConfig);
  exporter = await startExporter({
    configFile: join(folder, 'reboot-exporter.yml'),
    stateFile: join(folder, 'state.json'),
    listenAddresses: [{ host: '127.0.0.1', port: 0 }],
    webConfigFile,
    enableLifecycle: false,
    shard: null,
    log: createLogger('error', 'logfmt'),
  });
  return new URL(exporter.urls[0] ?? '').host;
}

/** Exit status of the health check. */
function check(address: string): Promise<number> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [program], { env: { HEALTHCHECK_ADDRESS: address } });
    child.once('close', (code) => resolve(code ?? -1));
  });
}

const users = 'basic_auth_users: { prometheus: $2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG }\n';
const tls = 'tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n';

test.each([
  ['plain HTTP', ''],
  ['basic auth', users],
  ['TLS with a certificate for another name', tls],
  ['TLS and basic auth', tls + users],
  [
    'TLS that asks for a client certificate',
    `${tls}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: authority.pem\n`,
  ],
])('an exporter with %s is healthy', async (_title, webConfig) => {
  await expect(check(await serve(webConfig))).resolves.toBe(0);
});

test('one that has stopped is not', async () => {
  const address = await serve('');
  await exporter?.stop();
  exporter = null;
  await expect(check(address)).resolves.toBe(1);
});

test.each([400, 404, 500, 503])('a server that answers %d is not', async (status) => {
  const server: Server = createServer((_request, response) => response.writeHead(status).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await expect(check(`127.0.0.1:${(server.address() as AddressInfo).port}`)).resolves.toBe(1);
  server.closeAllConnections();
  server.close();
});
