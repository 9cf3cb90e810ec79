#!/usr/bin/env bash
# Writes the first view of the page, HTML on the recorded sentences, to OUT, and the content of the method page, docs/method.md as HTML, to
# METHOD. They are made by a program of its own: the page never needs what makes them, and would be larger with it (4 kB the first view,
# brotli).
# Usage: scripts/first-view.sh OUT METHOD
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"
use_wasm_tools
out="${1:?usage: scripts/first-view.sh OUT METHOD}"
method="${2:?usage: scripts/first-view.sh OUT METHOD}"
profile="${KEYSIDE_PROFILE:-page}"
program="$target_dir/first-view"

cargo build --locked --profile "$profile" --target "$wasm_target" --no-default-features --features page --bin first_view
rm -rf "$program"
wasm-bindgen --target nodejs --no-typescript --out-dir "$program" --out-name first_view "$target_dir/$wasm_target/$profile/first_view.wasm"
node -e '
  const { readFileSync, writeFileSync } = require("node:fs");
  const [program, recorded, out, text, method] = process.argv.slice(1);
  writeFileSync(out, require(program).first_view(readFileSync(recorded)));
  writeFileSync(method, require(program).method(readFileSync(text, "utf8")));
' "$(cd "$program" && pwd)/first_view.js" public/recorded/gpt2-small-sentences.json "$out" docs/method.md "$method"
