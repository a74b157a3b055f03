/**
 * Stands in for date(1) on a host whose clock is wrong: there are no namespaces for the time of day. It shifts the
 * present; a date that the caller names is printed as it is.
 */
const program = String.raw`#!/bin/sh
for option; do
  case $option in
    -d* | --date* | -r* | --reference* | -f* | --file*) exec /usr/lib/init/date "$@" ;;
  esac
done
now=$(/usr/lib/init/date +%s)
exec /usr/lib/init/date -d "@$((now + @AHEAD@))" "$@"
`;

/** The program, for a clock that is ahead (or, below zero, behind) by so many seconds. */
export function dateProgram(aheadSeconds: number): string {
  return program.replace('@AHEAD@', `${Math.trunc(aheadSeconds)}`);
}

/**
 * Shell text that makes /proc/stat agree with such a clock. A step of the clock moves `btime` with it, for the kernel
 * computes it from the time of day (getboottime64 in kernel/time/timekeeping.c), and leaves /proc/uptime alone.
 */
export function bootTimeProgram(aheadSeconds: number): string {
  const undo = 'umount /proc/stat 2>/dev/null || :';
  if (aheadSeconds === 0) {
    return undo;
  }
  const shift = `$1 == "btime" { printf "btime %.0f\\n", $2 + ${Math.trunc(aheadSeconds)}; next } { print }`;
  return [undo, `awk '${shift}' /proc/stat >/usr/lib/init/stat`, 'mount --bind /usr/lib/init/stat /proc/stat'].join(
    '\n',
  );
}
