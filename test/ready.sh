#!/bin/sh
# Installs the dependencies of the lock file, if they are not there or the lock file is newer. Install scripts are not needed:
# they would only build native parts that save some processor time.
set -e
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  npm ci --prefer-offline --ignore-scripts --no-audit --no-fund --loglevel=error
  touch node_modules/.package-lock.json
fi
