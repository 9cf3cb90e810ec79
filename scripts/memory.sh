#!/usr/bin/env bash
# What runs of large models take in Chromium, as JSON. Synthetic checkpoints of the sizes of GPT-2 small and medium are
# written once to CHECKPOINTS (0.5 and 1.5 GB); XL=1 adds GPT-2 XL's (6.4 GB).
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"
folder="${CHECKPOINTS:-target/checkpoints}"
sizes=(gpt2 gpt2-medium)
[ "${XL:-0}" != 1 ] || sizes+=(gpt2-xl)

scripts/setup.sh native wasm bindgen browser e2e
cargo build --locked --release --bin make_checkpoint >&2
for size in "${sizes[@]}"; do
  write_checkpoint "$folder/$size" "$size"
done
scripts/build-page.sh >&2
KEYSIDE_TARGET="$target_dir" node tests/e2e/memory.mjs "$folder" "${sizes[@]}"
