#!/bin/sh
# Makes the images that the Dockerfile begins with out of Debian's packages and npm's, for machines that reach no
# container registry, under the names that the Dockerfile knows them by:
#   node:22-bookworm-slim     Debian's minimal system, unpacked, with Node.js 22 and npm 10
#   distroless/cc-debian12    the files of the packages that it consists of, and nothing run on them
# What takes long is kept in the temporary folder for the next run.
#
# Usage: base-image.sh STORAGE     STORAGE: folder of the container storage into which the images go
set -eu
storage=${1:?usage: base-image.sh STORAGE}
cache=${TMPDIR:-/tmp}/reboot-exporter-base-image
node_image=docker.io/library/node:22-bookworm-slim
libraries_image=gcr.io/distroless/cc-debian12
# Those of distroless' cc image; the first five are in Debian's minimal system anyway.
library_packages='base-files libc6 libgcc-s1 libstdc++6 tzdata libgomp1 libssl3 netbase media-types ca-certificates'

case $(uname -m) in
  x86_64) architecture=x64 ;;
  aarch64) architecture=arm64 ;;
  *) echo "base-image.sh: no Node.js from npm for $(uname -m)" >&2; exit 1 ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# Each part appears in the cache whole or not at all, however many runs make it at once.
keep() { mkdir -p "$cache" && mv "$1" "$cache/$2.$$" && mv -f "$cache/$2.$$" "$cache/$2"; }

if [ ! -e "$cache/debian.tar" ] || [ ! -e "$cache/libraries.tar" ]; then
  include=$(echo "$library_packages" | tr ' ' ',')
  # The first stage only: unpacked is enough to run a shell, and configuring takes as long again.
  debootstrap --foreign --variant=minbase --include="$include" bookworm "$work/debian" >"$work/debootstrap.log" 2>&1 ||
    { tail -n 20 "$work/debootstrap.log" >&2; exit 1; }
  # Where debootstrap finds itself in a container, it leaves a link to the file system it was run on.
  rm -f "$work/debian/proc"
  mkdir -p "$work/debian/proc" "$work/libraries"
  for package in $library_packages; do
    # The name of a package's file is NAME_VERSION_ARCHITECTURE.deb.
    dpkg-deb --extract "$work"/debian/var/cache/apt/archives/"$package"_*.deb "$work/libraries"
  done
  mkdir -p "$work/libraries/tmp" "$work/libraries/proc" "$work/libraries/dev" "$work/libraries/sys"
  chmod 1777 "$work/libraries/tmp"
  printf 'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n' >"$work/libraries/etc/passwd"
  printf 'root:x:0:\nnonroot:x:65532:\n' >"$work/libraries/etc/group"
  rm -rf "$work/libraries/usr/share/doc" "$work/libraries/usr/share/man" "$work/debian/var/cache/apt" \
    "$work/debian/var/lib/apt/lists" "$work/debian/debootstrap"
  tar -C "$work/debian" -cf "$work/debian.tar" .
  tar -C "$work/libraries" -cf "$work/libraries.tar" .
  keep "$work/debian.tar" debian.tar
  keep "$work/libraries.tar" libraries.tar
fi

if [ ! -e "$cache/node.tar" ]; then
  mkdir -p "$work/npm" "$work/node/usr/local/bin" "$work/node/usr/local/lib/node_modules" "$work/node/usr/local/etc"
  npm install --prefix "$work/npm" --ignore-scripts --no-audit --no-fund --loglevel=error "node-linux-$architecture@22" npm@10 >&2
  cp "$work/npm/node_modules/node-linux-$architecture/bin/node" "$work/node/usr/local/bin/"
  cp -R "$work/npm/node_modules/npm" "$work/node/usr/local/lib/node_modules/"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$work/node/usr/local/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$work/node/usr/local/bin/npx"
  # npm inside asks the same registry as npm out here, and trusts the same authorities.
  npm config get registry --loglevel=error | sed 's/^/registry=/' >"$work/node/usr/local/etc/npmrc"
  if [ -r "${NODE_EXTRA_CA_CERTS:-}" ]; then
    cp "$NODE_EXTRA_CA_CERTS" "$work/node/usr/local/etc/authorities.pem"
    echo 'cafile=/usr/local/etc/authorities.pem' >>"$work/node/usr/local/etc/npmrc"
  fi
  tar -C "$work/node" -cf "$work/node.tar" .
  keep "$work/node.tar" node.tar
fi

# in_storage COMMAND ARGUMENT…: a buildah command on that storage.
in_storage() {
  command=$1
  shift
  buildah "$command" --root "$storage/root" --runroot "$storage/run" --storage-driver vfs "$@"
}
# image NAME TAR…: an image of one layer.
image() {
  name=$1
  shift
  container=$(in_storage from scratch)
  for part in "$@"; do in_storage add --quiet "$container" "$part" / >/dev/null; done
  in_storage commit --quiet --rm "$container" "$name" >/dev/null
}
image "$node_image" "$cache/debian.tar" "$cache/node.tar"
image "$libraries_image" "$cache/libraries.tar"
