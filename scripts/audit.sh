#!/usr/bin/env bash
# Checks the dependencies against deny.toml: licenses, bans and sources without a network, advisories where their database can be had.
# KEYSIDE_ADVISORIES=required: it is a failure if it can't.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"
PATH="$tools/bin:$PATH"

# Cargo reads the manifests of all targets' dependencies, also of those that are never built here.
cargo fetch --locked >&2 || fail "the dependencies in Cargo.lock can't be had"
cargo deny --locked --offline check licenses bans sources

log="$(mktemp)"
trap 'rm -f "$log"' EXIT
if timeout 120 cargo deny --locked fetch db >"$log" 2>&1; then
  cargo deny --locked check --disable-fetch advisories
elif [ "${KEYSIDE_ADVISORIES:-}" = required ]; then
  cat "$log" >&2
  fail "the database of advisories can't be reached"
else
  say "advisories were NOT checked: their database can't be reached"
fi
