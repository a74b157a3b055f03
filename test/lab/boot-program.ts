/**
 * What a host's first process does, in namespaces of its own: builds the host's file system, waits for its network,
 * starts sshd, and then becomes a `cat` that ends when the test process closes its standard input or dies.
 * The kernel then kills every other process of the PID namespace, and with the last one go mounts, network and devices.
 *
 * Arguments: the host's folder in the lab, its name, `sshd` or nothing, and the environment of the first process.
 */
export const bootProgram = String.raw`
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
host=$1 name=$2 sshd=$3
shift 3
# The old /proc is still mounted, and shows this process by its number in the machine's namespace.
read -r pid _ </proc/self/stat
echo "pid $pid"
read -r _
mount --bind "$host/root" "$host/root"
# /proc has to be there before files can be bound over it: mount -a goes by the order of the lines.
mount -a -T "$host/fstab" --target-prefix "$host/root"
hostname "$name"
# Neighbours learn at once where the host is, also when it comes back on another port of the bridge.
echo 1 >/proc/sys/net/ipv4/conf/all/arp_notify
echo 1 >/proc/sys/net/ipv6/conf/all/ndisc_notify
echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad
ip -batch "$host/network"
onboot=$(cat "$host/onboot")
cd "$host/root"
# pivot_root(2), "pivot_root(".", ".")": the old root is stacked upon the new one, and then detached.
pivot_root . .
umount -l .
cd /
mkdir -p /run/sshd /run/lock /run/user
chmod 1777 /run/lock
if [ -n "$onboot" ]; then printf '%s\n' "$onboot" | sh -eu; fi
if [ -n "$sshd" ] && ! /usr/sbin/sshd -E /var/log/sshd.log </dev/null >/dev/null; then
  tail -n 3 /var/log/sshd.log >&2
  exit 1
fi
echo up
# With SIGCHLD ignored the kernel reaps orphans itself, sigaction(2). Both programs are the machine's env and cat,
# under names that a host's own choice of programs does not touch.
exec /usr/lib/init/env -i --ignore-signal=CHLD "$@" /sbin/init >/dev/null 2>&1
`;

/** uname(2) cannot be told another release, so the program reads the files that can: they are bound over in /proc. */
export const unameProgram = String.raw`#!/bin/sh
# Stands in for uname(1) of a lab host.
read -r release </proc/sys/kernel/osrelease
read -r version </proc/sys/kernel/version
read -r node </proc/sys/kernel/hostname
show=
[ $# -gt 0 ] || set -- -s
for option; do
  case $option in
    --all) option=-a ;;
    --kernel-name) option=-s ;;
    --nodename) option=-n ;;
    --kernel-release) option=-r ;;
    --kernel-version) option=-v ;;
    --machine) option=-m ;;
    --operating-system) option=-o ;;
  esac
  case $option in
    -a) option=-snrvmo ;;
    -[snrvmpio]*) ;;
    *) echo "uname: unrecognised option $option" >&2; exit 1 ;;
  esac
  show=$show$option
done
line=
for field in s n r v m p i o; do
  case $show in *"$field"*) ;; *) continue ;; esac
  case $field in
    s) value=Linux ;;
    n) value=$node ;;
    r) value=$release ;;
    v) value=$version ;;
    m) value=@MACHINE@ ;;
    p | i) value=unknown ;;
    o) value=GNU/Linux ;;
  esac
  [ -z "$line" ] || line="$line "
  line=$line$value
done
printf '%s\n' "$line"
`;
