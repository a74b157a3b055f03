import type { Connection } from 'ssh2';
import { type HostileServer, knownHostsOf, letIn, messages, serveSsh } from '../../test/ssh/hostile-server';
import { keygen, privateDirectory, removeDirectory } from '../../test/ssh/real-sshd';
import { hostAt, requestFor } from '../../test/ssh/target';
import { type FailureReason, ProbeFailure } from '../failure';
import { SshTransport } from './ssh-transport';

const deadlineMs = 1500;

interface Misbehaviour {
  readonly does: string;
  readonly handle: (client: Connection) => void;
  readonly reason: FailureReason;
  readonly says: string | RegExp;
}

/** The numbers that channels have on the two sides. */
interface OpenInfo {
  readonly sender: number;
}

/** Answers requests for channels by hand. */
function onOpen(client: Connection, answer: (info: OpenInfo, layer: ReturnType<typeof messages>) => void): void {
  letIn(client).on('ready', () => {
    const layer = messages(client);
    layer._handlers['CHANNEL_OPEN'] = (_: unknown, info: OpenInfo) => answer(info, layer);
  });
}

const windowBytes = 2 * 1024 * 1024;

const misbehaviours: readonly Misbehaviour[] = [
  {
    does: 'never answers when asked for a channel',
    handle: (client) => onOpen(client, () => undefined),
    reason: 'timeout',
    says: /^timed out after 1\.5 s while bastion b1 connected to 10\.0\.0\.1:22$/,
  },
  {
    does: 'is gone when asked for a channel',
    handle: (client) => onOpen(client, () => client.end()),
    reason: 'protocol',
    says: /^via bastion b1: .* closed the connection while it carried others$/,
  },
  {
    does: 'wants packets of no bytes',
    handle: (client) => onOpen(client, ({ sender }, layer) => layer.channelOpenConfirm(sender, 0, windowBytes, 0)),
    reason: 'protocol',
    says: 'via bastion b1: it asked for packets of 0 bytes',
  },
  {
    does: 'lets nothing through to the host',
    handle: (client) => onOpen(client, ({ sender }, layer) => layer.channelOpenConfirm(sender, 0, windowBytes, 32_768)),
    reason: 'timeout',
    says: 'while waiting for 10.0.0.1:22 via b1 to greet',
  },
  {
    does: 'sends what is no SSH in place of the host',
    handle: (client) =>
      onOpen(client, ({ sender }, layer) => {
        layer.channelOpenConfirm(sender, 0, windowBytes, 32_768);
        layer.channelData(sender, Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'));
        messages(client).disconnect(11);
      }),
    reason: 'protocol',
    says: /does not speak SSH|via bastion b1/,
  },
  {
    does: 'sends without end in place of the host',
    handle: (client) =>
      onOpen(client, ({ sender }, layer) => {
        layer.channelOpenConfirm(sender, 0, windowBytes, 32_768);
        flood(client, () => layer.channelData(sender, Buffer.alloc(32_000, 'x')));
      }),
    reason: 'protocol',
    says: /does not speak SSH|sent too much|more than .* bytes came/,
  },
  {
    does: 'floods channels that nobody asked for',
    handle: (client) => onOpen(client, (_, layer) => flood(client, () => layer.channelData(99, Buffer.alloc(32_000)))),
    reason: 'protocol',
    says: /^via bastion b1: .* sent too much/,
  },
  {
    does: 'exchanges keys again and again',
    handle: (client) => onOpen(client, (_, layer) => flood(client, () => layer.rekey())),
    reason: 'protocol',
    says: /^via bastion b1: /,
  },
  {
    does: 'refuses in words that break lines',
    handle: (client) => onOpen(client, ({ sender }, layer) => layer.channelOpenFail(sender, 2, 'no\nway "\u001b[2J')),
    reason: 'connect',
    says: /^via bastion b1: it could not connect to 10\.0\.0\.1:22: "no way ' \[2J"$/,
  },
];

/** Sends for as long as the client reads. */
function flood(client: Connection, send: () => void): void {
  const timer = setInterval(() => {
    for (let time = 0; time < 20; time += 1) send();
  }, 1);
  client.on('close', () => clearInterval(timer));
}

describe('a bastion that', () => {
  const directory = privateDirectory();
  const key = keygen(directory, 'user', 'ed25519').privateKeyPath;
  let transport: SshTransport;
  let bastion: HostileServer;

  beforeEach(() => {
    transport = new SshTransport();
  });

  afterEach(async () => {
    await transport.close();
    await bastion.stop();
  });

  afterAll(() => removeDirectory(directory));

  function behind(name = 'web-1'): ReturnType<typeof hostAt> {
    const knownHosts = knownHostsOf(directory, bastion);
    const via = hostAt({ name: 'b1', port: bastion.port, identityFiles: [key], knownHosts });
    return hostAt({ name, address: '10.0.0.1', port: 22, identityFiles: [key], knownHosts, ssh: { via } });
  }

  it.each(misbehaviours)('$does', async ({ handle, reason, says }) => {
    bastion = await serveSsh(handle);
    const startedMs = performance.now();
    const request = requestFor(behind(), 'true\n', { signal: AbortSignal.timeout(deadlineMs) });
    const outcome: unknown = await transport.run(request).catch((error: unknown) => error);
    expect(outcome).toBeInstanceOf(ProbeFailure);
    const failure = outcome as ProbeFailure;
    expect([failure.reason, failure.message]).toEqual([reason, expect.stringMatching(says)]);
    expect(performance.now() - startedMs).toBeLessThan(deadlineMs + 500);
  });

  it('is gone without a word is noticed, and connected to again', async () => {
    let logins = 0;
    bastion = await serveSsh((client) => {
      logins += 1;
      const mute = logins === 1;
      onOpen(client, ({ sender }, layer) => {
        if (!mute) layer.channelOpenFail(sender, 2, 'refused');
      });
      if (mute) client.on('ready', () => (messages(client)._handlers['GLOBAL_REQUEST'] = () => undefined));
    });
    const run = (): Promise<unknown> =>
      transport
        .run(requestFor(behind(), 'true\n', { signal: AbortSignal.timeout(10_000) }))
        .catch((error: unknown) => (error as ProbeFailure).message);
    expect(await run()).toMatch(/^via bastion b1: .* answers no more$/);
    expect(await run()).toMatch(/could not connect to 10\.0\.0\.1:22: "refused"$/);
    expect(logins).toBe(2);
  }, 15_000);
});
