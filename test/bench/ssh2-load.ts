// A probe with ssh2 as it comes: what one would write from its README, with the host's key checked. Nothing is parsed. For each
// line with a number on standard input it makes that many probes, and prints the seconds they took.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Client, type KexAlgorithm } from 'ssh2';

const [mode, addressFile = '', username = '', keyFile = '', hostKeyFile = '', inputFile = '', kex = '', bound = '1'] =
  process.argv.slice(2);
const addresses = readFileSync(addressFile, 'utf8').trim().split('\n');
const privateKey = readFileSync(keyFile);
const hostKey = readFileSync(hostKeyFile, 'utf8').trim().split(' ')[1];
const input = readFileSync(inputFile);
const kept = new Map<string, Client>();

function connect(address: string): Promise<Client> {
  const [host = '', port = ''] = address.split(':');
  return new Promise((resolve, reject) => {
    const client = new Client();
    client.on('ready', () => resolve(client));
    client.on('error', reject);
    client.connect({
      host,
      port: Number(port),
      username,
      privateKey,
      hostVerifier: (key: Buffer) => key.toString('base64') === hostKey,
      algorithms: { kex: [kex as KexAlgorithm], cipher: ['aes128-gcm@openssh.com'] },
    });
  });
}

function run(client: Client): Promise<void> {
  return new Promise((resolve, reject) => {
    client.exec('/bin/sh', (error, channel) => {
      if (error) {
        reject(error);
        return;
      }
      let answer = '';
      channel.on('data', (piece: Buffer) => (answer += piece.toString('latin1')));
      channel.on('close', () =>
        answer.includes(' done\n') ? resolve() : reject(new Error('the answer is not whole')),
      );
      channel.stderr.resume();
      channel.end(input);
    });
  });
}

async function probe(address: string): Promise<void> {
  const client = kept.get(address) ?? (await connect(address));
  await run(client);
  if (mode === 'keep') kept.set(address, client);
  else client.end();
}

async function load(count: number): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await probe(addresses[next++ % addresses.length] ?? '');
  };
  await Promise.all(Array.from({ length: Number(bound) }, worker));
}

async function main(): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const begunMs = performance.now();
    const before = process.cpuUsage();
    await load(Number(line));
    const { user, system } = process.cpuUsage(before);
    const taken = { processorSeconds: (user + system) / 1e6, elapsedSeconds: (performance.now() - begunMs) / 1000 };
    process.stdout.write(`${JSON.stringify(taken)}\n`);
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  // Standard input is still open, and would keep it alive.
  process.exit(1);
});
