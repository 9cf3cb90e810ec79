# make help lists the targets. Every target does its own set-up (scripts/setup.sh).

PORT ?= 8080
FULL_SIZE ?= target/checkpoints/gpt2

.PHONY: help run dist release size bench bench-gpu npm page-speed docs-pictures python test e2e browsers test-full test-gpt2 faults memory check train fuzz audit

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: ## build the page with cargo and wasm-bindgen, and serve it on 127.0.0.1:8080 (PORT=)
	@scripts/setup.sh native wasm bindgen node
	@KEYSIDE_PROFILE=release scripts/build-page.sh target/page
	@node scripts/serve.mjs target/page $(PORT)

dist: ## build the release page into dist/
	@scripts/setup.sh native wasm bindgen node wasm-opt trunk
	@scripts/build-release.sh
	@node scripts/size.mjs dist

size: ## what a visitor of dist/ loads, in brotli bytes, against its limits
	@scripts/setup.sh node
	@node scripts/size.mjs dist

bench: dist ## how fast the release page and the command line are beside their peers (PEERS=python: also TransformerLens and PyTorch)
	@scripts/bench.sh $(BENCH)

bench-gpu: ## how fast this machine's GPU is, beside its CPU and PyTorch (BENCH=options, KEYSIDE_BUILT=folder of built programs)
	@scripts/bench-gpu.sh $(BENCH)

release: dist ## build the release page and pack it: target/keyside-VERSION.zip, for any static server
	@scripts/setup.sh archive
	@scripts/archive.sh dist "target/keyside-$$(sed -n 's/^version = "\(.*\)"$$/\1/p' Cargo.toml | head -n 1).zip"

npm: ## pack the npm package, target/keyside-plot-VERSION.tgz, and try it in a page that Vite builds, in headless Chromium
	@scripts/test.sh npm

page-speed: dist ## first plot, sizes and interaction latency of the release page on a slow machine, as JSON
	@scripts/setup.sh browser e2e
	@node benches/page.mjs dist

docs-pictures: ## take the pictures of docs/ anew into screenshots/docs (needs the test page of make e2e)
	@scripts/setup.sh browser e2e
	@node tests/e2e/pictures.mjs

python: ## build the wheel of the Python package into target/wheels, and test it in an empty environment, and with all it can use
	@scripts/setup.sh native maturin
	@scripts/python.sh all

test: ## format, lints, docs, native and Python tests, tests in headless Chromium, end-to-end tests
	@scripts/test.sh format lint docs native python browser e2e

e2e: ## the end-to-end tests alone (screenshots in ./screenshots)
	@scripts/test.sh e2e

browsers: ## the page's main jobs in Chromium, Firefox and WebKitGTK
	@scripts/test.sh browsers

check: ## format, lints and docs alone
	@scripts/test.sh format lint docs

test-full: ## head 10.7 on a synthetic checkpoint of GPT-2 small's size, natively and in Chromium
	@FULL_SIZE=$(FULL_SIZE) scripts/test-full.sh

test-gpt2: ## the real GPT-2 small against the recorded run, sentences and effects of heads (MODEL=DIR with its weights)
	@test -n "$(MODEL)" || { echo "keyside: error: say where the weights are: make test-gpt2 MODEL=DIR" >&2; exit 1; }
	@test -f "$(MODEL)/model.safetensors" || { echo "keyside: error: there is no $(MODEL)/model.safetensors" >&2; exit 1; }
	@scripts/setup.sh native
	KEYSIDE_GPT2="$(abspath $(MODEL))" cargo test --locked --release --test full_size -- --ignored --nocapture recorded

faults: ## what goes wrong between server, page and storage, natively and in headless Chromium
	@scripts/test.sh faults

memory: ## bytes and peak memory of GPT-2's and GPT-2 medium's sizes in Chromium, as JSON (XL=1: GPT-2 XL's too)
	@scripts/memory.sh

train: ## train the bundled model anew into public/models/tiny-ioi (about a quarter of an hour on 2 cores)
	@scripts/setup.sh native
	RAYON_NUM_THREADS=1 cargo run --locked --release --bin train -- --out public/models/tiny-ioi

audit: ## licenses, sources, versions and known vulnerabilities of the dependencies (cargo-deny; deny.toml)
	@scripts/setup.sh native audit
	@scripts/audit.sh

fuzz: ## fuzz what is read from outside (TARGET=, all without; SECONDS=900 each)
	@SECONDS_EACH="$(or $(SECONDS),900)" scripts/fuzz.sh $(TARGET)
