#!/usr/bin/env bash
# Packs a finished page for any static server: scripts/archive.sh FOLDER ARCHIVE.zip
# The same page gives the same archive, byte for byte: entries are sorted, and all have one time.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ "$#" = 2 ] || fail "which folder, into what? scripts/archive.sh FOLDER ARCHIVE.zip"
folder="$(cd "$1" && pwd)" || fail "there is no folder $1"
[ -f "$folder/service-worker.js" ] || fail "$1 is no finished page; make dist builds one"
version="$(sed -n 's/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml" | head -n 1)"
mkdir -p "$(dirname "$2")"
archive="$(cd "$(dirname "$2")" && pwd)/$(basename "$2")"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

top="keyside-$version"
cp -R "$folder" "$work/$top"
[ -f "$work/$top/THIRD-PARTY.txt" ] || (cd "$root" && node scripts/third-party.mjs) >"$work/$top/THIRD-PARTY.txt" ||
  fail "the licences of what is compiled in could not be gathered"
cp "$root/LICENSE-MIT" "$root/LICENSE-APACHE" "$work/$top/"
cat >"$work/$top/README.txt" <<TEXT
keyside $version: which parts of GPT-2 make an attention head look where it looks?

Serve this folder with any static web server, at any path, and open it in a browser:

    python3 -m http.server 8080 --bind 127.0.0.1 --directory .

Then open http://127.0.0.1:8080/. Opening index.html as a file does not work: browsers run no WebAssembly from there.
Over http from another machine the page works, but not without a network; serve it over https for that.

Licence: MIT or Apache-2.0, at your choice; the texts are beside this file, as are those of what is compiled in (THIRD-PARTY.txt).
TEXT
# SOURCE_DATE_EPOCH, or the first second that an archive can tell.
time="${SOURCE_DATE_EPOCH:-315532800}"
cd "$work"
export TZ=UTC LC_ALL=C
find "$top" -type d -exec chmod 755 {} + -o -type f -exec chmod 644 {} +
find "$top" -exec touch -d "@$time" {} +
rm -f "$archive"
find "$top" -type f | sort | zip -X -9 -q "$archive" -@ || fail "zip could not write $archive"
say "$archive: $(du -h "$archive" | cut -f 1), SHA-256 $(sha256sum "$archive" | cut -d ' ' -f 1)"
