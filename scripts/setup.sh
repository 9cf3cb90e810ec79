#!/usr/bin/env bash
# Gets what the project needs and this machine lacks. Idempotent: what is there already is left alone.
#
#   scripts/setup.sh PART...      parts: native gpu wasm bindgen browser browsers node e2e npm python maturin python-extras peers archive wasm-opt trunk fuzz audit
#
# Debian packages come by apt-get (as root, or with sudo); everything else goes to ~/.cache/keyside (KEYSIDE_CACHE) or to
# node_modules folders of the project. KEYSIDE_WASM_FALLBACK=1 takes Debian's compiler for wasm even where rustup has the target.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

apt_updated=no

# apt REASON PACKAGE...: installs Debian packages.
apt() {
  local reason="$1" sudo=()
  shift
  have apt-get || fail "$reason needs $*, and this machine has no apt-get to install it with; please install it and try again"
  if [ "$(id -u)" != 0 ]; then
    have sudo || fail "$reason needs the Debian packages $*; please install them as root: apt-get install $*"
    sudo=(sudo)
  fi
  say "installing for $reason: $* (apt-get)"
  if [ "$apt_updated" = no ]; then
    "${sudo[@]}" apt-get update -qq >&2 || say "apt-get update failed; trying with the package lists that are here"
    apt_updated=yes
  fi
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2 ||
    fail "apt-get could not install $*, which $reason needs"
}

setup_native() {
  local missing=()
  if ! have cargo || ! have rustc; then fail "Rust is missing; install it with rustup (https://rustup.rs), then try again"; fi
  at_least "$(rust_version rustc)" "$min_rust" ||
    fail "Rust $min_rust or newer is needed and rustc is $(rust_version rustc); run: rustup update stable"
  have cc || missing+=(build-essential)
  have make || missing+=(make)
  [ "${#missing[@]}" = 0 ] || apt "building native code" "${missing[@]}"
  if ! cargo fmt --version >/dev/null 2>&1 || ! cargo clippy --version >/dev/null 2>&1; then
    have rustup || fail "rustfmt and clippy are missing; install them beside your Rust compiler"
    say "adding rustfmt and clippy (rustup)"
    rustup component add rustfmt clippy >&2 || fail "rustup could not add rustfmt and clippy"
  fi
}

# A software adapter: what is computed on a GPU can be tested anywhere.
setup_gpu() {
  if ! ls /usr/share/vulkan/icd.d/*.json >/dev/null 2>&1; then
    apt "the tests of the engine on a GPU" mesa-vulkan-drivers libvulkan1
  fi
}

setup_wasm() {
  local toolchain
  toolchain="$(fallback_toolchain)"
  if [ "${KEYSIDE_WASM_FALLBACK:-0}" != 1 ]; then
    if sysroot_has_wasm "$(rustc --print sysroot)"; then return; fi
    # Where the fallback is complete, rustup was asked before.
    if [ -z "$toolchain" ] || [ ! -f "$toolchain/complete" ]; then
      if have rustup; then
        say "adding the Rust target $wasm_target (rustup)"
        if RUST_BACKTRACE=0 timeout 300 rustup target add "$wasm_target" >&2 && sysroot_has_wasm "$(rustc --print sysroot)"; then return; fi
        say "rustup could not add it; using the Debian compiler for wasm instead"
      fi
    fi
  fi
  setup_wasm_fallback
}

# Debian's compiler has the library's sources: builds the standard library for wasm32 once, and makes a toolchain folder around it.
setup_wasm_fallback() {
  local toolchain sysroot build host name
  if [ ! -x /usr/bin/rustc ] || [ ! -x /usr/bin/cargo-clippy ] || [ ! -d /usr/lib/rustlib/src ] || ! have rust-lld; then
    apt "building for wasm" rustc-web cargo-web rust-web-src rust-web-llvm rust-web-clippy lld-22
  fi
  at_least "$(rust_version /usr/bin/rustc)" "$min_rust" ||
    fail "no Rust compiler for $wasm_target can be had: rustup cannot add the target, and Debian's is older than $min_rust"
  toolchain="$(fallback_toolchain)"
  if [ -f "$toolchain/complete" ]; then return; fi
  say "building the Rust standard library for $wasm_target (once, about 2 minutes)"
  rm -rf "$toolchain" "$cache/wasm-std"
  mkdir -p "$toolchain/bin" "$toolchain/lib/rustlib/$wasm_target/lib" "$cache/wasm-std/src"
  build="$cache/wasm-std"
  printf '[package]\nname = "std-for-wasm"\nversion = "0.0.0"\nedition = "2021"\n' >"$build/Cargo.toml"
  printf '#![no_std]\n' >"$build/src/lib.rs"
  # Without embed-bitcode link-time optimisation fails; panic_unwind, proc_macro and test are there for `cargo test`.
  (cd "$build" && env -u RUSTUP_TOOLCHAIN -u CARGO_TARGET_DIR PATH="/usr/bin:$PATH" RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 \
    RUSTFLAGS=-Cembed-bitcode=yes /usr/bin/cargo build --quiet --release --target "$wasm_target" --target-dir "$build/target" \
    -Zbuild-std=std,panic_abort,panic_unwind,proc_macro,test >&2) || fail "the standard library for $wasm_target did not build"
  cp "$build/target/$wasm_target/release/deps/"*.rlib "$toolchain/lib/rustlib/$wasm_target/lib/"
  rm -f "$toolchain/lib/rustlib/$wasm_target/lib/"libstd_for_wasm-*
  # Everything else is Debian's: linked, and called with the folder as sysroot.
  sysroot="$(/usr/bin/rustc --print sysroot)"
  host="$(/usr/bin/rustc -vV | sed -n 's/^host: //p')"
  ln -s "$sysroot/lib/rustlib/$host" "$toolchain/lib/rustlib/$host"
  ln -s /usr/bin/cargo "$toolchain/bin/cargo"
  for name in rustc rustdoc; do
    printf '#!/bin/sh\nexec /usr/bin/%s --sysroot "%s" "$@"\n' "$name" "$toolchain" >"$toolchain/bin/$name"
  done
  # cargo-clippy looks for clippy-driver beside itself, so it has to be a copy.
  cp /usr/bin/cargo-clippy "$toolchain/bin/cargo-clippy"
  printf '#!/bin/sh\nSYSROOT="%s" exec /usr/bin/clippy-driver "$@"\n' "$toolchain" >"$toolchain/bin/clippy-driver"
  chmod +x "$toolchain/bin/"*
  rm -rf "$build"
  touch "$toolchain/complete"
}

# install_tool CRATE VERSION DURATION OPTIONS...: a program of crates.io, which is built once.
install_tool() {
  local crate="$1" version="$2" duration="$3"
  shift 3
  timed "building $crate $version (once, about $duration)" env -u CARGO_TARGET_DIR CARGO_PROFILE_RELEASE_LTO=off \
    CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
    cargo install --quiet "$crate" --version "$version" --root "$tools" "$@" >&2 ||
    fail "$crate $version could not be installed with cargo"
}

setup_bindgen() {
  local version
  version="$(locked_version wasm-bindgen)"
  if [ "$("$tools/bin/wasm-bindgen" --version 2>/dev/null || true)" = "wasm-bindgen $version" ]; then return; fi
  install_tool wasm-bindgen-cli "$version" "3 minutes"
}

setup_browser() {
  local missing=()
  have chromium || missing+=(chromium)
  have chromedriver || missing+=(chromium-driver)
  [ "${#missing[@]}" = 0 ] || apt "the browser tests" "${missing[@]}"
}

# Firefox, and WebKitGTK with its driver, a browser for that and a screen that nobody sees, beside Chromium.
setup_browsers() {
  local missing=()
  setup_browser
  have firefox-esr || missing+=(firefox-esr)
  have WebKitWebDriver || missing+=(webkit2gtk-driver)
  have Xvfb || missing+=(xvfb)
  [ "${#missing[@]}" = 0 ] || apt "the tests in three browsers" "${missing[@]}"
  setup_node
  npm_install tests/browsers "the tests in three browsers"
}

setup_node() {
  if ! have node || ! have npm; then apt "page tools and tests" nodejs npm; fi
  at_least "$(node --version | tr -d v)" 18 || fail "Node.js 18 or newer is needed and node is $(node --version)"
}

# npm_install FOLDER REASON: the exact packages of the folder's lock file.
npm_install() {
  local folder="$root/$1" reason="$2"
  if cmp -s "$folder/package-lock.json" "$folder/node_modules/.keyside-lock"; then return; fi
  timed "installing for $reason: npm packages of $1" npm ci --prefix "$folder" --no-audit --no-fund --silent >&2 ||
    fail "npm could not install the packages of $1, which $reason needs"
  cp "$folder/package-lock.json" "$folder/node_modules/.keyside-lock"
}

# The release archive is packed, unpacked, and served by a plain server.
setup_e2e() {
  local missing=()
  setup_archive
  have unzip || missing+=(unzip)
  have python3 || missing+=(python3)
  [ "${#missing[@]}" = 0 ] || apt "the browser tests" "${missing[@]}"
  setup_node
  npm_install tests/e2e "the browser tests"
}

setup_npm() { setup_node; npm_install tests/npm "the test of the npm package"; }

setup_archive() { have zip || apt "the release archive" zip; }

# Is there a python3 of version $1 that can make virtual environments? $2 says what for.
need_python() {
  if ! python3 -c 'import ensurepip, venv' >/dev/null 2>&1; then apt "$2" python3 python3-venv; fi
  at_least "$(python3 -c 'import platform; print(platform.python_version())')" "$1" ||
    fail "Python $1 or newer is needed and python3 is $(python3 -c 'import platform; print(platform.python_version())')"
}

# environment FOLDER REQUIREMENTS WHAT REASON: a virtual environment in the cache with what the file of requirements lists.
environment() {
  local python="$cache/$1" wanted="$root/$2"
  if cmp -s "$wanted" "$python/requirements.txt"; then return; fi
  rm -rf "$python"
  timed "installing for $4: $3 (pip, in $python)" new_environment "$python" "$wanted" >&2 || fail "pip could not install $3, which $4 needs"
  cp "$wanted" "$python/requirements.txt"
}

# new_environment FOLDER REQUIREMENTS
new_environment() { python3 -m venv "$1" && "$1/bin/python" -m pip install --quiet --disable-pip-version-check -r "$2"; }

# What keyside is measured against; TransformerLens and PyTorch with PEERS=python alone.
setup_peers() {
  setup_node
  npm_install benches/peers "the benchmark"
  need_python 3.10 "the benchmark"
  environment peers benches/peers/requirements.txt onnx "the benchmark"
  if [ "${PEERS:-}" = python ]; then
    environment peers-python benches/peers/requirements-python.txt "TransformerLens and PyTorch" "the benchmark"
  fi
}

# What exported scripts draw with.
setup_python() {
  need_python 3.11 "running exported scripts"
  environment python scripts/requirements.txt matplotlib "the end-to-end tests"
}

# What builds the wheel of the Python package.
setup_maturin() {
  need_python 3.10 "the Python package"
  environment maturin scripts/requirements-maturin.txt maturin "the Python package"
}

# What the Python package can use; a few gigabytes.
setup_python_extras() {
  need_python 3.10 "the Python package"
  environment python-extras scripts/requirements-python-extras.txt "pandas, polars, tqdm, TransformerLens, Ray and Jupyter" "tests of the Python package"
}

setup_wasm_opt() { setup_node; npm_install scripts/wasm-opt "the release page"; }

setup_trunk() {
  local found
  if found="$(PATH="$tools/bin:$PATH" trunk --version 2>/dev/null)" && at_least "${found#trunk }" 0.21; then return; fi
  # Its manifest asks for a newer Rust than its code does.
  install_tool trunk "$trunk_version" "10 minutes" --locked --ignore-rust-version --no-default-features --features rustls
}

# libFuzzer itself is compiled with the targets, which takes a C++ compiler.
setup_fuzz() {
  have c++ || apt "the fuzz targets" g++
  if [ "$("$tools/bin/cargo-fuzz" --version 2>/dev/null || true)" = "cargo-fuzz $cargo_fuzz_version" ]; then return; fi
  install_tool cargo-fuzz "$cargo_fuzz_version" "1 minute" --locked
}

setup_audit() {
  if [ "$("$tools/bin/cargo-deny" --version 2>/dev/null || true)" = "cargo-deny $cargo_deny_version" ]; then return; fi
  install_tool cargo-deny "$cargo_deny_version" "5 minutes" --locked --no-default-features
}

[ "$#" -gt 0 ] || fail "which part? one or more of: native gpu wasm bindgen browser browsers node e2e npm python maturin python-extras peers archive wasm-opt trunk fuzz audit"
for part in "$@"; do
  case "$part" in
    native | gpu | wasm | bindgen | browser | browsers | node | e2e | npm | python | maturin | peers | archive | trunk | fuzz | audit) "setup_$part" ;;
    wasm-opt) setup_wasm_opt ;;
    python-extras) setup_python_extras ;;
    *) fail "there is no part '$part'; parts: native gpu wasm bindgen browser browsers node e2e npm python maturin python-extras peers archive wasm-opt trunk fuzz audit" ;;
  esac
done
