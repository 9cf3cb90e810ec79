#!/usr/bin/env bash
# The benchmark of the engine on a GPU (benches/README.md): scripts/bench-gpu.sh [OPTION...]      options of bench_gpu
# Needs no network. KEYSIDE_BUILT=FOLDER takes keyside, make_checkpoint and bench_gpu from there: for machines without a compiler.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"
folder="${CHECKPOINTS:-$target_dir/checkpoints}"
if [ -n "${KEYSIDE_BUILT:-}" ]; then
  built="$KEYSIDE_BUILT"
else
  cargo build --locked --release --bin keyside --bin make_checkpoint --bin bench_gpu
  built="$target_dir/release"
fi
write_checkpoint "$folder/gpt2" gpt2 "$built"
exec "$built/bench_gpu" "$folder/gpt2" --out "$target_dir/bench/gpu.json" "$@"
