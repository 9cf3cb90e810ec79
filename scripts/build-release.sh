#!/usr/bin/env bash
# Builds the release page into dist/ with Trunk: link-time optimisation, then wasm-opt -Oz.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"
use_wasm_tools
# Some shells have NO_COLOR=1, which trunk takes for the value of a flag and refuses.
unset NO_COLOR
trunk build --release
node scripts/third-party.mjs >dist/THIRD-PARTY.txt
scripts/build-kernels.sh dist
scripts/first-view.sh "$target_dir/first-view.html" "$target_dir/method.html"
node scripts/finish-page.mjs dist "$target_dir/first-view.html" "$target_dir/method.html"
say "the release page is in dist: $(du -sh dist | cut -f 1)"
