#!/usr/bin/env bash
# The benchmark (benches/README.md): scripts/bench.sh [OPTION...]      options of benches/run.mjs
# PEERS=python measures TransformerLens and PyTorch, too: their packages are several GB.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"
use_wasm_tools
folder="${CHECKPOINTS:-$target_dir/checkpoints}"
export KEYSIDE_TARGET="$target_dir" KEYSIDE_PAGE="${KEYSIDE_PAGE:-$root/dist}"

scripts/setup.sh browser e2e peers
cargo build --locked --release --bins
scripts/build-kernels.sh
for size in gpt2 distilgpt2 gpt2-medium; do write_checkpoint "$folder/$size" "$size"; done
mkdir -p "$target_dir/bench"
if [ ! -f "$target_dir/bench/model.onnx" ]; then
  say "writing it as an ONNX graph"
  "$cache/peers/bin/python" benches/peers/make_onnx.py "$folder/gpt2" "$target_dir/bench/model.new.onnx"
  mv "$target_dir/bench/model.new.onnx" "$target_dir/bench/model.onnx"
fi
[ "${PEERS:-}" != python ] || export KEYSIDE_PEERS_PYTHON="$cache/peers-python/bin/python"
node benches/run.mjs "$folder/gpt2" --sizes "$folder/distilgpt2,$folder/gpt2-medium" "$@"
