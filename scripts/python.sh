#!/usr/bin/env bash
# Builds the wheel of the Python package, installs it into a virtual environment that has NumPy alone, and tests it there.
#
#   scripts/python.sh [build|test|all]    default: test, which builds first; all tests once more with what the package can use, too
#
# The wheel is in target/wheels. It is for CPython 3.10 and newer, on this platform. It needs scripts/setup.sh native maturin.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"
what="${1:-test}"
wheels="$target_dir/wheels"

# tested ENVIRONMENT: the wheel into the environment, and the tests. They run away from the sources: what is imported is what is installed.
tested() {
  "$1/bin/python" -m pip install --quiet --disable-pip-version-check --force-reinstall --no-deps "$wheels"/*.whl >&2 ||
    fail "pip could not install the wheel"
  KEYSIDE="$target_dir/release/keyside" "$1/bin/python" -I python/tests/run.py
}

rm -rf "$wheels"
# Cargo's own folder, so that what the command line was built of is not built again.
CARGO_TARGET_DIR="$target_dir" "$cache/maturin/bin/maturin" build --quiet --release --locked --manifest-path python/Cargo.toml \
  --interpreter python3 --out "$wheels" >&2 || fail "the wheel did not build"
say "the wheel is $(ls "$wheels"/*.whl)"
[ "$what" != build ] || exit 0
cargo build --quiet --locked --release --bin keyside

# Anew each time: that it is empty is what is tested.
empty="$target_dir/python-empty"
rm -rf "$empty"
python3 -m venv "$empty" || fail "python3 could not make a virtual environment in $empty"
"$empty/bin/python" -m pip install --quiet --disable-pip-version-check "$wheels"/*.whl >&2 ||
  fail "pip could not install the wheel with NumPy"
tested "$empty"
[ "$what" = all ] || exit 0

# Data frames, a bar, TransformerLens, Ray and notebooks: large, so they are kept, and where they can't be had their tests are skipped. So is
# looking at a notebook's figures where there is no browser.
if scripts/setup.sh python-extras; then
  scripts/setup.sh browser e2e || say "NOT looked at: figures of notebooks; there is no browser for it"
  tested "$cache/python-extras"
else
  say "NOT tested with pandas, polars, tqdm, TransformerLens, Ray and notebooks, which could not be installed: their tests are among those skipped above"
fi
