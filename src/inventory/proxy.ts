import { isIP } from 'node:net';
import { right, wrong, type Reading } from '../config/reading';
import type { SocksAddress } from './host';
import { readAddress } from './name';

/** The port of SOCKS (RFC 1928, section 3). */
const socksPort = 1080;

/**
 * Reads `socks5://host:port`, where this program resolves the names of hosts, or `socks5h://`, where the proxy does, as
 * curl has it; `none` is no proxy. A user or password in it is refused: URLs get shown.
 */
export function readProxy(written: string): Reading<SocksAddress | null> {
  if (written === 'none') return right(null);
  const match = /^(socks5h?):\/\/([^/]+)\/?$/i.exec(written);
  if (match === null) {
    const other = /^([a-z0-9+.-]+):\/\//i.exec(written)?.[1];
    if (other === undefined || /^socks5h?$/i.test(other))
      return wrong('must be a URL like `socks5://proxy.example.com:1080`');
    return wrong(`\`${other}\` is not supported: the proxy has to speak socks5 (\`socks5://…\` or \`socks5h://…\`)`);
  }
  const [, scheme = '', place = ''] = match;
  if (place.includes('@'))
    return wrong(
      'holds a user or password: put them as `user:password` into a file, and name it with `proxy_password_file`',
    );
  const parts = /^(?:\[([^[\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(place);
  const host = parts?.[1] ?? parts?.[2] ?? '';
  const port = parts?.[3] === undefined ? socksPort : Number(parts[3]);
  if (parts === null || (parts[1] !== undefined && isIP(host) !== 6))
    return wrong('must be a URL like `socks5://proxy.example.com:1080`');
  if (port < 1 || port > 65_535) return wrong('has no port: it is a number from 1 to 65535');
  const address = readAddress(host);
  if (!address.ok) return address;
  return right({ host: address.value, port, resolvesNames: scheme.toLowerCase() === 'socks5h' });
}
