#!/usr/bin/env bash
# Fuzzes what is read from outside, and closes with "N passed, N failed".
#
#   [SECONDS_EACH=900] scripts/fuzz.sh [TARGET...]      without targets: all, one after the other
#
# Starts from fuzz/corpus/TARGET, and works on a copy under the build's folder. What makes a target fail is left in
# fuzz/artifacts/TARGET: `cargo fuzz run TARGET FILE` runs it again.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"

seconds="${SECONDS_EACH:-900}"
[[ "$seconds" =~ ^[1-9][0-9]*$ ]] || fail "SECONDS_EACH is '$seconds'; expected a whole number of seconds"
all=(header index config tokenizer merges result_file url_state)
[ "$#" -gt 0 ] || set -- "${all[@]}"
for target in "$@"; do
  [[ " ${all[*]} " == *" $target "* ]] || fail "there is no fuzz target '$target'; targets: ${all[*]}"
done

# Longest input, in bytes: room for a few times the largest seed.
longest() {
  case "$1" in
    header | config | url_state) echo 4096 ;;
    *) echo 8192 ;;
  esac
}

scripts/setup.sh native fuzz
PATH="$tools/bin:$PATH"
# Apart from the project's own build, whose flags are others. Sanitizers are unstable options, which the stable compiler
# takes with RUSTC_BOOTSTRAP: no second toolchain is needed.
export CARGO_TARGET_DIR="$target_dir/fuzz" RUSTC_BOOTSTRAP=1
log="$(mktemp)"
trap 'rm -f "$log"' EXIT
passed=0
failed=0
for target in "$@"; do
  say "building fuzz target $target"
  cargo fuzz build "$target" >&2 || fail "fuzz target $target did not build"
  corpus="$CARGO_TARGET_DIR/corpus/$target"
  mkdir -p "$corpus"
  cp "fuzz/corpus/$target/"* "$corpus/"
  say "fuzzing $target for $seconds s"
  start=$SECONDS
  if cargo fuzz run "$target" "$corpus" "fuzz/corpus/$target" -- -max_total_time="$seconds" -max_len="$(longest "$target")" \
    -timeout=10 -rss_limit_mb=2048 -malloc_limit_mb=512 -print_final_stats=1 >"$log" 2>&1; then
    count="$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
    printf '%s: %s executions in %s s, no crash\n' "$target" "${count:-0}" "$((SECONDS - start))"
    passed=$((passed + 1))
  else
    tail -n 40 "$log" >&2
    printf '%s: failed after %s s; see fuzz/artifacts/%s\n' "$target" "$((SECONDS - start))" "$target"
    failed=$((failed + 1))
  fi
done
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
