#!/usr/bin/env bash
# Builds the modules that a page's worker computes with: scripts/build-kernels.sh [FOLDER]      default: target/kernels
# One source, src/kernel, without std: plain and relaxed vectors, each for one thread and for several (shared memory).
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"
use_wasm_tools
out="${1:-$target_dir/kernels}"
mkdir -p "$out"

# Bytes of a thread's stack: a tile's sums are 24 KB of it.
stack=65536

# build NAME FEATURES ARGUMENT...
build() {
  local name="$1" features="$2"
  shift 2
  # `atomics` and `relaxed-simd` are not stable features of the compiler, which says so each time; nothing else is unstable.
  rustc src/kernel/mod.rs --crate-name kernel --crate-type cdylib --edition 2024 --target "$wasm_target" \
    --cfg kernel_module --cap-lints allow -C "target-feature=$features" -C opt-level=3 -C panic=abort -C lto=fat \
    -C codegen-units=1 -C llvm-args=-disable-lsr -C strip=symbols -C link-arg=--import-memory -C "link-arg=-zstack-size=$stack" \
    -C link-arg=--export=__heap_base "$@" -o "$out/$name.wasm" 2>"$out/$name.log" || { cat "$out/$name.log" >&2; fail "$name.wasm was not built"; }
  rm -f "$out/$name.log"
}

# What of the standard library is linked was not built with atomics, and uses none.
shared=(--cfg kernel_threads -C link-arg=--shared-memory -C link-arg=--max-memory=4294967296 -C link-arg=--no-check-features -C link-arg=--export=__stack_pointer)
build kernel-simd +simd128
build kernel-relaxed +simd128,+relaxed-simd
build kernel-simd-threads +simd128,+atomics,+bulk-memory,+mutable-globals "${shared[@]}"
build kernel-relaxed-threads +simd128,+relaxed-simd,+atomics,+bulk-memory,+mutable-globals "${shared[@]}"
