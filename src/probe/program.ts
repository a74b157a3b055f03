import { exposureFingerprintScript, exposureScript } from '../exposure/collect';
import { SECTION } from '../exposure/section-names';
import { readings } from '../reading';
import { signals } from '../signal';

/** Version of the program below; raised when the meaning of a section changes, so that older installed copies stay understood. */
export const programVersion = 1;

/** What a probe asks of the host beyond the restart state. */
export interface ProbeWish {
  /** Read the firewall, the sockets and the routes as well. */
  readonly exposure: boolean;
  /** `sudo -n` may be used to read the firewall. */
  readonly sudo: boolean;
}

/**
 * The first line of what is sent, before the program. A copy installed as a
 * forced command reads it from its standard input instead of running it; only
 * hexadecimal digits and known words are taken from it.
 */
export function requestLine(nonce: string, wish: ProbeWish): string {
  const words = [`nonce=${nonce}`];
  if (wish.exposure) words.push('exposure');
  if (wish.sudo) words.push('sudo');
  return `request='${words.join(' ')}'\n`;
}

/** What is sent to `/bin/sh` on the host. */
export function probeInput(nonce: string, wish: ProbeWish, program = probeProgram()): Buffer {
  return Buffer.from(requestLine(nonce, wish) + program);
}

/**
 * The program that runs on hosts, whole: POSIX sh, read-only, in ASCII, for some
 * shells stop at other characters in the C locale. `root` is a folder that stands for `/`, for tests without root.
 */
export function probeProgram(root = ''): string {
  return `#!/bin/sh
# reboot-exporter probe, version ${programVersion}: reads whether this host needs a restart, and prints it.
# It changes nothing. Run it by hand to see what it sends; see https://github.com/reboot-exporter/reboot-exporter.
# When it is sent to /bin/sh, a line request='...' comes before it. Installed as a forced command
# (command="/usr/local/lib/reboot-exporter/probe" in authorized_keys), it reads that line from its input.
# The braces make the shell read it to its end before it runs any of it: a copy that was cut off does nothing.
{
R='${root}'
PATH=/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin
LC_ALL=C
export PATH LC_ALL
unset IFS CDPATH ENV BASH_ENV

# section NAME COMMAND...: the command's output, framed, with its exit status.
section() {
  section_name=$1
  shift
  printf '\\n=%s begin %s\\n' "$nonce" "$section_name"
  "$@" 2>/dev/null
  printf '\\n=%s end %s %s\\n' "$nonce" "$section_name" "$?"
}

# line KEY FILE: the first line of a file, without starting a process.
line() {
  line_text=
  IFS= read -r line_text <"$2" || [ -n "$line_text" ] || return 1
  printf '%s=%s\\n' "$1" "$line_text"
}

${functions()}

read_everything() {
${calls()}
  section ${SECTION.fingerprint} exposure_fingerprint
  [ "$want_exposure" = 1 ] || return 0
  if command -v gzip >/dev/null; then
    printf '\\n=%s begin gzip\\n' "$nonce"
    exposure | gzip -1 2>/dev/null
    printf '\\n=%s end gzip 0\\n' "$nonce"
  else
    exposure
  fi
}

main() {
  nonce=0 want_exposure=0 sudo=
  for word in $1; do
    case $word in
      exposure) want_exposure=1 ;;
      sudo) sudo='sudo -n' ;;
      nonce=*[!0-9a-f]*) ;;
      nonce=?*) nonce=\${word#nonce=} ;;
    esac
  done
  printf '\\n=%s hello ${programVersion}\\n' "$nonce"
  read_everything
  printf '\\n=%s done\\n' "$nonce"
}

if [ -z "\${request:-}" ]; then
  request='exposure sudo'
  if [ ! -t 0 ] && IFS= read -r first; then
    case $first in request=\\'*\\') request=\${first#request=?}; request=\${request%?} ;; esac
  fi
fi
main "$request" </dev/null
} && exit 0
`;
}

function functions(): string {
  const bodies: string[] = [];
  for (const reading of Object.values(readings)) bodies.push(shellFunction(`read_${reading.name}`, reading.script));
  for (const signal of signals) {
    if (signal.script !== undefined) bodies.push(shellFunction(`read_${signal.name}`, signal.script));
  }
  bodies.push(shellFunction('exposure_fingerprint', exposureFingerprintScript));
  bodies.push(shellFunction('exposure', exposureScript));
  return bodies.join('\n\n');
}

function calls(): string {
  const names = [
    ...Object.values(readings).map((reading) => reading.name),
    ...signals.filter((signal) => signal.script !== undefined).map((signal) => signal.name),
  ];
  return names.map((name) => `  section ${name} read_${name}`).join('\n');
}

function shellFunction(name: string, body: string): string {
  return `${name}() {\n${body.replace(/^\n+|\s+$/g, '')}\n}`;
}
