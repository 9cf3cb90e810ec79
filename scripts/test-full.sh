#!/usr/bin/env bash
# Head 10.7 on a synthetic checkpoint of GPT-2 small's size (written once to FULL_SIZE, 0.5 GB), natively and in Chromium.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"
folder="${FULL_SIZE:-target/checkpoints/gpt2}"

scripts/setup.sh native wasm bindgen browser e2e
cargo build --locked --release --bins
write_checkpoint "$folder"
folder="$(cd "$folder" && pwd)"
KEYSIDE_FULL_SIZE="$folder" cargo test --locked --release --test full_size -- --ignored --nocapture synthetic
scripts/build-page.sh
KEYSIDE_FULL_SIZE="$folder" KEYSIDE_TARGET="$target_dir" node tests/e2e/run.mjs full-size
