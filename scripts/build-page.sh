#!/usr/bin/env bash
# Builds the page with cargo and wasm-bindgen alone, for `make run` and the tests: the index.html, file names and addresses of the release
# page, which Trunk and wasm-opt make smaller.
# Usage: scripts/build-page.sh [FOLDER]      default: target/page-test
# KEYSIDE_PROFILE=release builds in a quarter of the time, larger and slower.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"
use_wasm_tools
out="${1:-$target_dir/page-test}"
profile="${KEYSIDE_PROFILE:-page}"
built="$target_dir/$wasm_target/$profile"

timed "compiling page, frame and worker for wasm" cargo build --locked --profile "$profile" --target "$wasm_target" --no-default-features \
  --features page --bin page --bin frame --bin worker --bin first_view

rm -rf "$out"
mkdir -p "$out"
cp -R public/. "$out/"
timed "compiling the kernels" scripts/build-kernels.sh "$out"
timed "wasm-bindgen: page" wasm-bindgen --target web --no-typescript --out-dir "$out" --out-name page "$built/page.wasm"
timed "wasm-bindgen: frame" wasm-bindgen --target web --no-typescript --out-dir "$out" --out-name frame "$built/frame.wasm"
timed "wasm-bindgen: worker" wasm-bindgen --target no-modules --no-typescript --out-dir "$out" --out-name worker "$built/worker.wasm"
# Trunk's links out; finish-page.mjs puts the page's own scripts in.
awk '
  /<link data-trunk/ { skipping = 1 }
  !skipping { print }
  skipping && />[[:space:]]*$/ { skipping = 0 }
' index.html >"$out/index.html"
timed "writing the first view and the method page" scripts/first-view.sh "$target_dir/first-view.html" "$target_dir/method.html"
node scripts/finish-page.mjs "$out" "$target_dir/first-view.html" "$target_dir/method.html"
say "the page is in $out"
