#!/usr/bin/env bash
# Builds the page for tests, without Trunk and wasm-opt: the same index.html, file names and addresses as the release page.
# Usage: scripts/build-page.sh [FOLDER]      default: target/page-test
# KEYSIDE_PROFILE=release builds in a quarter of the time, larger and slower.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"
use_wasm_tools
out="${1:-$target_dir/page-test}"
profile="${KEYSIDE_PROFILE:-page}"
built="$target_dir/$wasm_target/$profile"

cargo build --locked --profile "$profile" --target "$wasm_target" --no-default-features --features page --bin page --bin worker

rm -rf "$out"
mkdir -p "$out"
cp -R public/. "$out/"
wasm-bindgen --target web --no-typescript --out-dir "$out" --out-name page "$built/page.wasm"
wasm-bindgen --target no-modules --no-typescript --out-dir "$out" --out-name worker "$built/worker.wasm"
# What Trunk's data-loader-shim writes.
printf 'importScripts("./worker.js");wasm_bindgen("./worker_bg.wasm");' >"$out/worker_loader.js"
# Trunk's links out, its script tag in.
awk '
  /<link data-trunk/ {
    if (/data-bin="page"/) print "    <script type=\"module\">import init from \"./page.js\"; await init({ module_or_path: \"./page_bg.wasm\" });</script>"
    skipping = 1
  }
  !skipping { print }
  skipping && />[[:space:]]*$/ { skipping = 0 }
' index.html >"$out/index.html"
! grep -q data-trunk "$out/index.html" || fail "a link of Trunk's is left in $out/index.html"
grep -q 'page.js' "$out/index.html" || fail "index.html has no Trunk link with data-bin=\"page\""
say "the test page is in $out"
