# Shared by the scripts beside it: what is where, which versions, and the words to say it with. Source it; it changes
# nothing by itself.
# shellcheck shell=bash disable=SC2034

set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
# Tools that this project installs for itself live here, and nowhere else.
cache="${KEYSIDE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/keyside}"
tools="$cache/tools"
target_dir="${CARGO_TARGET_DIR:-$root/target}"
wasm_target=wasm32-unknown-unknown
# The oldest Rust that builds the project, and the one that the workflow installs.
min_rust="$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' "$root/Cargo.toml")"
trunk_version=0.22.1
cargo_fuzz_version=0.13.2
cargo_deny_version=0.20.2

say() { printf 'keyside: %s\n' "$*" >&2; }
fail() { printf 'keyside: error: %s\n' "$*" >&2; exit 1; }
# timed WHAT COMMAND...: says what is done, and how long it took.
timed() {
  local what="$1" start=$SECONDS
  shift
  say "$what"
  "$@" || return
  say "$what: done in $((SECONDS - start)) s"
}
have() { command -v "$1" >/dev/null 2>&1; }

# Is version $1 at least $2?
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

# "1.95.0" of the `rustc` given.
rust_version() { "$1" -V | cut -d ' ' -f 2 | cut -d - -f 1; }

# The version of a crate in Cargo.lock.
locked_version() {
  awk -v name="$1" '$1 == "name" { found = ($3 == "\"" name "\"") } $1 == "version" && found { gsub(/"/, "", $3); print $3; exit }' \
    "$root/Cargo.lock"
}

# The sysroot of the current rustc has a standard library for wasm32.
sysroot_has_wasm() { compgen -G "$1/lib/rustlib/$wasm_target/lib/libstd-*.rlib" >/dev/null; }

# The folder of the fallback toolchain, named by the compiler it was made for. Empty output where there is no such compiler.
fallback_toolchain() {
  [ -x /usr/bin/rustc ] || return 0
  # The build ID of a distribution's compiler changes with the package, its version text may not.
  local key
  key="$({ /usr/bin/rustc -vV; stat -c '%s %Y' /usr/bin/rustc; } | cksum | cut -d ' ' -f 1)"
  printf '%s/wasm-toolchain-%s' "$cache" "$key"
}

# Sets the environment for building the page: the toolchain that has the wasm target, and the tools beside it.
use_wasm_tools() {
  local toolchain
  PATH="$tools/bin:$root/scripts/wasm-opt/node_modules/binaryen/bin:$PATH"
  if [ "${KEYSIDE_WASM_FALLBACK:-0}" = 1 ] || ! { have rustc && sysroot_has_wasm "$(rustc --print sysroot)"; }; then
    toolchain="$(fallback_toolchain)"
    { [ -n "$toolchain" ] && [ -f "$toolchain/complete" ]; } ||
      fail "no Rust toolchain for $wasm_target is set up; run scripts/setup.sh wasm"
    # The folder's cargo and rustc come first on the path; rustup's own choice must not come between them.
    unset RUSTUP_TOOLCHAIN RUSTC
    PATH="$toolchain/bin:$PATH"
  fi
  export PATH
}

# write_checkpoint FOLDER [SIZE [BUILT]]: a synthetic checkpoint of a published model's size, written once by make_checkpoint, which is built.
write_checkpoint() {
  local folder="$1" size="${2:-gpt2}" built="${3:-$target_dir/release}"
  if [ -f "$folder/complete" ]; then return; fi
  say "writing a checkpoint of $size's size to $folder"
  mkdir -p "$folder"
  "$built/make_checkpoint" "$folder" "$size" --tokenizer "$root/tests/fixtures/gpt2-tokenizer.json"
  touch "$folder/complete"
}
