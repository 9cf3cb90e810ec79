#!/usr/bin/env bash
# Packs the npm package @keyside/plot into FOLDER/keyside-plot-VERSION.tgz: scripts/pack-npm.sh FOLDER
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ "$#" = 1 ] || fail "into which folder? scripts/pack-npm.sh FOLDER"
mkdir -p "$1"
folder="$(cd "$1" && pwd)"
node "$root/npm/build.mjs" "$folder/npm" || fail "the npm package could not be made"
(cd "$folder/npm" && npm pack --silent --pack-destination "$folder" >&2) || fail "npm could not pack the package"
for archive in "$folder"/keyside-plot-*.tgz; do
  say "$archive: $(du -h "$archive" | cut -f 1)"
done
