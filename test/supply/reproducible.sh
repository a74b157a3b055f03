#!/bin/sh
# Builds the package from two fresh clones of what is committed, in folders of different names and depths, and compares
# what comes out, byte for byte; with --image also two images. `npm run reproducible`, or `npm run reproducible -- --image`.
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# The same commit both times, also where somebody commits meanwhile.
commit=$(git -C "$here" rev-parse HEAD)
clone() {
  git clone --quiet --no-hardlinks --no-checkout "$here" "$1"
  git -C "$1" -c advice.detachedHead=false checkout --quiet --detach "$commit"
}

pack() {
  clone "$1"
  cd "$1"
  # The same dependencies, installed once: that they are those of the lock file is npm's to check.
  ln -s "$here/node_modules" node_modules
  touch -h node_modules
  find . -path ./.git -prune -o -type f -exec touch -d "$2" {} +
  touch "$here/node_modules/.package-lock.json"
  TZ=$3 LC_ALL=$4 npm pack --silent --pack-destination "$1/.." >/dev/null
  cd "$here"
}

mkdir -p "$work/one" "$work/two/further/down"
pack "$work/one/clone" 2024-02-29T12:00:00Z UTC C
(umask 077; pack "$work/two/further/down/another" 2026-07-01T03:04:05Z Asia/Tokyo C.UTF-8)
sha256sum "$work"/one/*.tgz "$work"/two/further/down/*.tgz | sed "s, $work/, ,"
cmp "$work"/one/*.tgz "$work"/two/further/down/*.tgz
echo 'the package is the same'

[ "${1:-}" = --image ] || exit 0
# On the same base images: those are not ours to reproduce.
epoch=$(git -C "$here" log -1 --format=%ct "$commit")
sh "$here/test/deploy/base-image.sh" "$work/storage"
in_storage() {
  command=$1
  shift
  buildah "$command" --root "$work/storage/root" --runroot "$work/storage/run" --storage-driver vfs "$@"
}
for turn in one two; do
  folder=$work/$turn/image
  clone "$folder"
  in_storage bud --isolation chroot --format docker --pull-never --timestamp "$epoch" --quiet --tag "reboot-exporter:$turn" \
    "$folder" >/dev/null 2>"$work/$turn.log" || { cat "$work/$turn.log" >&2; exit 1; }
  # buildah writes the name and the number of its working container into an image of Docker's format, and both are chance;
  # the image's own digest and the two texts that have all in one line follow from them. What is left has every layer's digest.
  in_storage inspect --type image "localhost/reboot-exporter:$turn" |
    grep -v '"container": "\|"Hostname": "\|"FromImage\|"Config": "\|"Manifest": "' >"$work/$turn/inspected"
done
grep -c '"sha256:' "$work/one/inspected" | sed 's/$/ layers/'
diff "$work/one/inspected" "$work/two/inspected"
echo 'the image is the same, layer by layer'
