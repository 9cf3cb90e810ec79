#!/usr/bin/env bash
# Runs the suites named, in the order given, and closes with "N passed, N failed" over all of them.
# Suites: format lint docs native python browser e2e browsers npm faults. The first that fails ends the run.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"

passed=0
failed=0
log="$(mktemp)"
trap 'rm -f "$log"' EXIT

# Adds up the results that a suite has printed: cargo's "test result: ok. 3 passed; 0 failed; ..." and "3 passed, 0 failed".
count() {
  local p f
  read -r p f < <(sed 's/\x1b\[[0-9;]*m//g' "$log" |
    sed -nE 's/^(test result: .*\. )?([0-9]+) passed[;,] ([0-9]+) failed.*/\2 \3/p' |
    awk '{ p += $1; f += $2 } END { print p + 0, f + 0 }')
  passed=$((passed + p))
  failed=$((failed + f))
  [ "$p" -gt 0 ] || [ "$f" -gt 0 ]
}

close() { printf '%d passed, %d failed\n' "$passed" "$failed"; }

# step tests|check NAME COMMAND...: a check counts as one; tests are counted by what they print, and none is a failure.
step() {
  local kind="$1" name="$2" start=$SECONDS status=0
  shift 2
  say "$name"
  "$@" 2>&1 | tee "$log" || status=1
  if [ "$kind" = check ]; then
    if [ "$status" = 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
  else
    if ! count; then
      say "$name: no test has run"
      status=1
    fi
    # A suite may break off without counting what broke it.
    if [ "$status" != 0 ] && [ "$failed" = 0 ]; then failed=1; fi
  fi
  if [ "$status" != 0 ]; then
    say "$name: failed after $((SECONDS - start)) s"
    close
    exit 1
  fi
  say "$name: done in $((SECONDS - start)) s"
}

# As optimized as what ships, but for link-time optimization, which takes minutes for each of five programs (Cargo.toml).
page=(--profile release --target "$wasm_target" --no-default-features --features page)

suite_format() {
  scripts/setup.sh native
  step check "format" cargo fmt --check
}

suite_lint() {
  scripts/setup.sh native wasm
  step check "clippy, native" cargo clippy --locked --release --all-targets -- -D warnings
  step check "clippy, wasm32" env CLIPPY_CONF_DIR="$root/scripts/clippy-wasm" scripts/with-wasm.sh \
    cargo clippy --locked "${page[@]}" --lib --bin page --bin frame --bin worker --bin first_view --test browser --test browser_storage -- -D warnings
}

suite_docs() {
  scripts/setup.sh native wasm
  step check "docs, native" env RUSTDOCFLAGS="-D warnings" cargo doc --locked --release --no-deps --document-private-items
  step check "docs, wasm32" env RUSTDOCFLAGS="-D warnings" scripts/with-wasm.sh \
    cargo doc --locked --no-deps --document-private-items --lib "${page[@]}"
}

suite_native() {
  scripts/setup.sh native
  if scripts/setup.sh gpu; then
    export KEYSIDE_NEEDS_GPU=1
  else
    say "NOT tested: the engine on a GPU, of which there is none here, nor Mesa's in its place"
  fi
  step tests "native tests" cargo test --locked --release --no-fail-fast
}

suite_python() {
  scripts/setup.sh native maturin
  step check "the Python package: format" cargo fmt --check --package keyside-python
  step check "the Python package: clippy" cargo clippy --locked --release --package keyside-python -- -D warnings
  step tests "the Python package in an empty environment" scripts/python.sh
}

suite_browser() {
  scripts/setup.sh native wasm bindgen browser
  step tests "tests in headless Chromium" env CHROMEDRIVER="$(command -v chromedriver)" WASM_BINDGEN_TEST_TIMEOUT=300 \
    CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=wasm-bindgen-test-runner \
    scripts/with-wasm.sh cargo test --locked "${page[@]}" --lib --test browser --test browser_storage -- --nocapture
}

suite_e2e() {
  scripts/setup.sh native wasm bindgen browser e2e python
  # With a test, so that it has the features of the native tests' dependencies, and they are built once; the golden numbers ask it, too.
  step check "command line" cargo test --locked --release --no-run --test pair
  step check "test page" env KEYSIDE_PROFILE=release scripts/build-page.sh
  step check "kernels" scripts/build-kernels.sh
  step tests "kernels in headless Chromium" env KEYSIDE_TARGET="$target_dir" node tests/kernel/run.mjs
  step tests "end-to-end tests" env KEYSIDE_TARGET="$target_dir" KEYSIDE_PYTHON="$cache/python/bin/python" node tests/e2e/run.mjs
}

suite_browsers() {
  scripts/setup.sh native wasm bindgen e2e browsers
  step check "test page" env KEYSIDE_PROFILE=release scripts/build-page.sh
  step tests "the main jobs in Chromium, Firefox and WebKitGTK" env KEYSIDE_TARGET="$target_dir" node tests/browsers/run.mjs
}

suite_npm() {
  scripts/setup.sh native wasm bindgen browser e2e npm
  step check "test page" env KEYSIDE_PROFILE=release scripts/build-page.sh
  step check "npm package" scripts/pack-npm.sh "$target_dir"
  step tests "npm package in a page that Vite builds" env KEYSIDE_TARGET="$target_dir" \
    node tests/npm/run.mjs "$target_dir/keyside-plot-$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1).tgz"
}

suite_faults() {
  scripts/setup.sh native wasm bindgen browser e2e
  step tests "faults between server, reader and storage, natively" cargo test --locked --release --test faults --test storage --test storage_versions --test store
  step check "test page" env KEYSIDE_PROFILE=release scripts/build-page.sh
  step tests "faults in headless Chromium" env KEYSIDE_TARGET="$target_dir" node tests/e2e/run.mjs faults
}

[ "$#" -gt 0 ] || fail "which suites? some of: format lint docs native python browser e2e browsers npm faults"
for suite in "$@"; do
  case "$suite" in
    format | lint | docs | native | python | browser | e2e | browsers | npm | faults) "suite_$suite" ;;
    *) fail "there is no suite '$suite'; suites: format lint docs native python browser e2e browsers npm faults" ;;
  esac
done
close
