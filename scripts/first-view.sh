#!/usr/bin/env bash
# Writes the first view of the page, HTML on the recorded sentences, to OUT. It is made by a program of its own: the page never needs
# what makes it, and would be 4 kB larger with it (brotli).
# Usage: scripts/first-view.sh OUT
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"
use_wasm_tools
out="${1:?usage: scripts/first-view.sh OUT}"
profile="${KEYSIDE_PROFILE:-page}"
program="$target_dir/first-view"

cargo build --locked --profile "$profile" --target "$wasm_target" --no-default-features --features page --bin first_view
rm -rf "$program"
wasm-bindgen --target nodejs --no-typescript --out-dir "$program" --out-name first_view "$target_dir/$wasm_target/$profile/first_view.wasm"
node -e '
  const { readFileSync, writeFileSync } = require("node:fs");
  const [program, recorded, out] = process.argv.slice(1);
  writeFileSync(out, require(program).first_view(readFileSync(recorded)));
' "$(cd "$program" && pwd)/first_view.js" public/recorded/gpt2-small-sentences.json "$out"
