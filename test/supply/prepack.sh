#!/bin/sh
# Before a package is packed: builds it from nothing, for what an earlier source left in dist would be packed as well, and
# gives every file the mode that it has in a clone of somebody with the usual umask, which npm takes over.
set -e
rm -rf dist
npm run --silent build
chmod -R u=rwX,go=rX dist config dashboards alerts deploy LICENSE README.md package.json
