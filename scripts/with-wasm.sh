#!/usr/bin/env bash
# Runs a command with the Rust toolchain and tools that build the page: scripts/with-wasm.sh cargo check --target ...
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
use_wasm_tools
exec "$@"
