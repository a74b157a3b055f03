import { hostOf } from '../../test/fixture/fake-fleet';
import { bootedAt, bootId, now, sectionsOf, type Said } from '../../test/fixture/said';
import { ProbeFailure } from '../failure';
import type { CommandRequest, CommandResult, Transport } from '../ssh/transport';
import { maxAnswerBytes, probeHost } from './probe';

const signal = new AbortController().signal;

/** A host that answers a request with this, framed as the program does. */
function transportOf(
  answer: (nonce: string) => string | Buffer,
  requests: CommandRequest[] = [],
  more: Partial<CommandResult> = {},
): Transport {
  return {
    run: (request: CommandRequest) => {
      requests.push(request);
      const nonce = /nonce=([0-9a-f]+)/.exec(request.input.toString())?.[1] ?? '';
      const result = {
        output: Buffer.from(answer(nonce)),
        status: 0,
        endedBySignal: null,
        errorHead: '',
        hostKeyFingerprint: '',
        remoteAddress: '192.0.2.7',
        durationSeconds: 0.1,
        reused: false,
        ...more,
      };
      return Promise.resolve(result);
    },
    close: () => Promise.resolve(),
  };
}

function framed(nonce: string, said: Said = {}): string {
  const parts = [`\n=${nonce} hello 1\n`];
  for (const { name, body, status } of sectionsOf(said).values()) {
    parts.push(`\n=${nonce} begin ${name}\n${body.toString()}\n=${nonce} end ${name} ${status}\n`);
  }
  return `${parts.join('')}\n=${nonce} done\n`;
}

describe('probeHost', () => {
  test('sends the request and the whole program to /bin/sh, and parses what comes', async () => {
    const requests: CommandRequest[] = [];
    const host = hostOf('web-1');
    const report = await probeHost(host, { exposure: true, sudo: true }, transportOf(framed, requests), signal);
    expect(report).toMatchObject({
      boot: { id: bootId, atSeconds: bootedAt, nowSeconds: now + 0.25 },
      facts: { os: { id: 'debian' } },
      withExposure: true,
      dialledAddress: '192.0.2.7',
    });
    expect(requests).toHaveLength(1);
    expect(requests[0]).toMatchObject({ host, command: '/bin/sh', maxOutputBytes: maxAnswerBytes, signal });
    expect(requests[0]?.input.toString()).toMatch(/^request='nonce=[0-9a-f]{32} exposure sudo'\n#!\/bin\/sh\n/);
  });

  test('takes another nonce each time', async () => {
    const requests: CommandRequest[] = [];
    const transport = transportOf(framed, requests);
    for (let at = 0; at < 20; at++) await probeHost(hostOf('a'), { exposure: false, sudo: false }, transport, signal);
    const nonces = requests.map(({ input }) => /nonce=([0-9a-f]+)'/.exec(input.toString())?.[1]);
    expect(new Set(nonces).size).toBe(20);
  });

  test.each<[string, (nonce: string) => string]>([
    ['an answer to another request', () => framed('00112233445566778899aabbccddeeff')],
    ['a shell that will not', () => 'This account is currently not available.\n'],
    ['an answer that is cut off', (nonce) => framed(nonce).slice(0, -20)],
    [
      'a report with neither clock nor boot',
      (nonce) => framed(nonce, { now: null, bootId: null, bootedAt: null, uptime: null }),
    ],
  ])('fails with the reason output for %s', async (_name, answer) => {
    const failure: unknown = await probeHost(
      hostOf('a'),
      { exposure: false, sudo: false },
      transportOf(answer),
      signal,
    ).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ProbeFailure);
    expect(failure).toMatchObject({ reason: 'output' });
  });

  test.each<[Partial<CommandResult>, string]>([
    [{ status: 1 }, '(exit status 1): This account is [2J not available.'],
    [{ status: 127, errorHead: 'sh: not found' }, '(exit status 127): sh: not found'],
    [{ status: null, endedBySignal: 'SIGKILL' }, '(SIGKILL): This account is [2J not available.'],
    [{ status: null }, '(no exit status): This account is [2J not available.'],
  ])('fails with the reason command for a shell that ends otherwise: %j', async (more, told) => {
    const transport = transportOf(() => 'This account is\u001b[2J not available.\n', [], more);
    await expect(probeHost(hostOf('a'), { exposure: false, sudo: false }, transport, signal)).rejects.toMatchObject({
      reason: 'command',
      message: `the host did not run the probe ${told}`,
    });
  });

  test('takes a whole report, whatever the exit status', async () => {
    const transport = transportOf(framed, [], { status: 1 });
    const report = await probeHost(hostOf('a'), { exposure: false, sudo: false }, transport, signal);
    expect(report.boot.id).toBe(bootId);
  });

  test('hands on how the transport failed', async () => {
    const refused = new ProbeFailure('connect', 'connection refused');
    const transport = { ...transportOf(framed), run: () => Promise.reject(refused) } as Transport;
    await expect(probeHost(hostOf('a'), { exposure: false, sudo: false }, transport, signal)).rejects.toBe(refused);
  });
});
