import fc from 'fast-check';
import { parseProcSockets, parseSs, withSs } from './sockets';

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';

function rows(...lines: readonly string[]): string {
  return (
    HEAD +
    lines.map((line, i) => `   ${i}: ${line} 00000000:00000000 00:00000000 00000000  1000        0 4711 1\n`).join('')
  );
}

describe('/proc/net/tcp and its like', () => {
  it('list listeners and leave connections out', () => {
    const found = parseProcSockets(
      rows('0100007F:0016 00000000:0000 0A', '0A7100CB:01BB 08080808:1F90 01', '00000000:0050 00000000:0000 0A'),
      6,
      4,
    );
    expect(found).toEqual({
      known: true,
      value: [
        { transport: 6, family: 4, address: 0x7f000001, port: 22, v6only: null, device: null, uid: 1000 },
        { transport: 6, family: 4, address: 0, port: 80, v6only: null, device: null, uid: 1000 },
      ],
    });
  });

  it('read UDP sockets without a peer', () => {
    const found = parseProcSockets(rows('00000000:0035 00000000:0000 07', '0A7100CB:9000 08080808:0035 01'), 17, 4);
    expect(found.known && found.value.map((socket) => socket.port)).toEqual([53]);
  });

  it('read IPv6 in words of the CPU, and fold what is IPv4', () => {
    const zero = '00000000000000000000000000000000:0000';
    const found = parseProcSockets(
      rows(
        `B80D0120000000000000000010000000:0050 ${zero} 0A`,
        `0000000000000000FFFF00000A7100CB:0051 ${zero} 0A`,
        `${zero.slice(0, 33)}0052 ${zero} 0A`,
      ),
      6,
      6,
    );
    expect(found.known && found.value.map(({ family, address, port }) => [family, address, port])).toEqual([
      [6, 0x20010db8000000000000000000000010n, 80],
      [4, 0xcb00710a, 81],
      [6, 0n, 82],
    ]);
  });

  it('are not known when they are something else', () => {
    for (const text of [
      '',
      'hello',
      `${HEAD}garbage\n`,
      rows('XX:0016 00000000:0000 0A'),
      rows('0100007F:00160 00000000:0000 0A'),
    ]) {
      expect(parseProcSockets(text, 6, 4).known).toBe(false);
    }
  });

  it('never throw', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseProcSockets(HEAD + text, 6, 6)));
    fc.assert(fc.property(fc.string(), (text) => void parseSs(text)));
  });
});

describe('ss', () => {
  const listed = [
    'Netid State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process',
    'tcp   LISTEN 0      4096   *:443              *:*               ino:1 sk:2 v6only:0 <->',
    'tcp   LISTEN 0      4096   [::]:22            [::]:*            ino:3 sk:4 v6only:1 <->',
    'tcp   LISTEN 0      4096   0.0.0.0%wg0:80     0.0.0.0:*         ino:5 sk:6 <->',
    'tcp   LISTEN 0      4096   [fe80::10]%eth0:9100 [::]:*          ino:7 v6only:1',
    'udp   UNCONN 0      0      [::ffff:203.0.113.10]:53 *:*         ino:9',
  ].join('\n');

  it('shows what /proc does not', () => {
    expect(parseSs(listed)).toEqual([
      { transport: 6, address: 'any', port: 443, device: '', v6only: false },
      { transport: 6, address: { family: 6, value: 0n }, port: 22, device: '', v6only: true },
      { transport: 6, address: { family: 4, value: 0 }, port: 80, device: 'wg0', v6only: null },
      {
        transport: 6,
        address: { family: 6, value: 0xfe800000000000000000000000000010n },
        port: 9100,
        device: 'eth0',
        v6only: true,
      },
      { transport: 17, address: { family: 4, value: 0xcb00710a }, port: 53, device: '', v6only: null },
    ]);
  });

  it('is added to the sockets that it is about, one row each', () => {
    const bare = { transport: 6, family: 4, address: 0, port: 80, v6only: null, device: null, uid: 0 } as const;
    const rowsOf = parseSs(`${listed}\ntcp LISTEN 0 1 0.0.0.0%eth0:80 0.0.0.0:*`);
    expect(withSs([bare, bare, bare], rowsOf).map((socket) => socket.device)).toEqual(['wg0', 'eth0', null]);
    const dual = { ...bare, family: 6, address: 0n, port: 443 } as const;
    expect(withSs([dual], rowsOf)).toEqual([{ ...dual, device: '', v6only: false }]);
  });
});
