# The commands of this repository. `make verify` changes nothing; `make fmt` and `make docs` do.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CARGO ?= cargo
TARGET ?= $(or $(CARGO_TARGET_DIR),target)
SDK := tests/node_modules/@tencentcloud/chat/index.js
CHROMIUM ?= $(or $(THRONG_CHROMIUM),/usr/bin/chromium)
# Seconds of each fuzz target.
FUZZ ?= 60
# What load-test carries out.
PROFILE ?= loadtest/profiles/ci.toml
# What deadlines of whole-system tests are multiplied by.
PATIENCE ?= $(or $(THRONG_TEST_PATIENCE),1)
# Parts of paths of whole-system tests: make sdk-test ONLY="rooms/ban traps/"
ONLY ?=

RUN_TESTS := cd tests && THRONG_TEST_PATIENCE=$(PATIENCE) THRONG_BIN=$(abspath $(TARGET))/debug/throng

.PHONY: help run demo build test unit-test sdk-test cluster-test fault-test load-test replay-test lint fmt docs bench fuzz screenshot deny verify clean-tests
.PHONY: test-packages chromium python java nats-server cassandra helm-test

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 16

run: demo ## Start a standalone server with a demo app, in release mode
	$(CARGO) run --locked --release -p throng

demo: demo/vendor/sdk.js ## Install the vendor's SDK for the demo page

# The SDK is installed, not shipped: the package says ISC in its metadata but holds no licence text.
demo/vendor/sdk.js: tests/node_modules/.installed
	mkdir -p demo/vendor
	cp $(SDK) $@

build: ## Build the server for tests
	$(CARGO) build --locked -p throng
	@$(CARGO) run --locked --quiet -- --version >/dev/null || { echo "cargo run does not start the server" >&2; exit 1; }

test: unit-test helm-test load-test replay-test sdk-test cluster-test fault-test ## Everything: crates, chart, a short load, the real SDKs against one process and against clusters, and clusters with faults

unit-test: nats-server cassandra ## Tests of the crates, with a real NATS server and a real CQL database
	@dir=$$(mktemp -d); \
	trap 'deploy/local/cassandra kill --dir "$$dir"; rm -rf "$$dir"' EXIT; \
	port=$$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'); \
	deploy/local/cassandra start --dir "$$dir" --port "$$port"; \
	THRONG_TEST_CQL="127.0.0.1:$$port" THRONG_TEST_NATS_SERVER="$$(deploy/local/nats install)/nats-server" \
	  $(CARGO) test --locked --workspace

sdk-test: build test-packages chromium python ## Whole-system tests
	$(RUN_TESTS) THRONG_CHROMIUM=$(CHROMIUM) node run.mjs $(ONLY)

cluster-test: build test-packages chromium python nats-server cassandra ## The same against a cluster
	$(RUN_TESTS) THRONG_TEST_TARGET=cluster THRONG_CHROMIUM=$(CHROMIUM) node run.mjs $(ONLY) -faults/

fault-test: build test-packages python nats-server cassandra ## Processes of a cluster are killed, stopped and parted under talk
	$(RUN_TESTS) THRONG_TEST_TARGET=cluster node run.mjs $(or $(ONLY),faults/)

load-test: build ## Clients of the load tool against a standalone server: PROFILE, default loadtest/profiles/ci.toml
	$(CARGO) build --locked -p throng-load
	loadtest/against-standalone $(abspath $(TARGET))/debug/throng $(abspath $(TARGET))/debug/throng-load $(PROFILE) \
	  --out $(abspath $(TARGET))/load-report

replay-test: build ## A run is captured and replayed: each group gets the same sequence
	$(CARGO) build --locked -p throng-load
	loadtest/replay-check $(abspath $(TARGET))/debug/throng $(abspath $(TARGET))/debug/throng-load $(PROFILE)

test-packages: tests/node_modules/.installed

# npm ci removes the folder first: a stamp inside tells that it ran to its end.
tests/node_modules/.installed: tests/package.json tests/package-lock.json
	cd tests && npm ci --ignore-scripts --no-audit --no-fund
	touch $@

chromium:
	@if [ ! -x $(CHROMIUM) ]; then \
	  command -v apt-get >/dev/null || { echo "no Chromium at $(CHROMIUM); set THRONG_CHROMIUM" >&2; exit 1; }; \
	  [ "$$(id -u)" = 0 ] || { echo "no Chromium at $(CHROMIUM): run apt-get install chromium, or set THRONG_CHROMIUM" >&2; exit 1; }; \
	  apt-get update -qq; \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null; \
	fi

# Some systems pack venv apart from Python.
python:
	@python3 -c 'import ensurepip' 2>/dev/null || { \
	  [ "$$(id -u)" = 0 ] || { echo "Python without venv: run apt-get install python3-venv" >&2; exit 1; }; \
	  apt-get update -qq; \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null; \
	}

java:
	@if ! command -v mvn >/dev/null || ! { java -version 2>&1 | grep -q '"17\.' || ls /usr/lib/jvm/*17* >/dev/null 2>&1; }; then \
	  [ "$$(id -u)" = 0 ] || { echo "no Java 17 or no Maven: run apt-get install openjdk-17-jre-headless maven" >&2; exit 1; }; \
	  apt-get update -qq; \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends openjdk-17-jre-headless maven >/dev/null; \
	fi

nats-server: python ## Install the NATS server that tests and the local cluster use
	deploy/local/nats install

cassandra: python java ## Install the CQL database that tests and the local cluster use
	deploy/local/cassandra install

# Helm is built from its Go module.
HELM_VERSION := v3.22.0
HELM := helm/.cache/helm-$(HELM_VERSION)

$(HELM):
	@command -v go >/dev/null || { echo "no Go to build Helm with" >&2; exit 1; }
	GOFLAGS= GOBIN=$(abspath helm/.cache) go install helm.sh/helm/v3/cmd/helm@$(HELM_VERSION)
	mv helm/.cache/helm $@

helm-test: build $(HELM) ## Lint and render the chart; the server reads the settings that come out of it
	helm/check $(abspath $(HELM)) $(abspath $(TARGET))/debug/throng

lint: ## Formatting, clippy and rustdoc, all without warnings
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps --document-private-items

deny: ## Licences, bans and sources of all dependencies (needs cargo-deny)
	$(CARGO) deny --locked check licenses bans sources

verify: lint test ## What has to pass before a change is merged

fmt: ## Format the code
	$(CARGO) fmt --all

docs: ## Make the generated pages again, and the API documentation
	$(CARGO) run --locked -q -p throng-protocol --example coverage > $(TARGET)/page.md
	mv $(TARGET)/page.md docs/coverage.md
	$(CARGO) run --locked -q -p throng-protocol --example coverage -- error-codes > $(TARGET)/page.md
	mv $(TARGET)/page.md docs/error-codes.md
	$(CARGO) doc --locked --workspace --no-deps

bench: ## Criterion benchmarks
	$(CARGO) bench --locked --workspace --benches

fuzz: ## Run every fuzz target for FUZZ seconds
	fuzz/run $(FUZZ)

screenshot: build test-packages chromium ## Make docs/screenshots/demo.png again
	mkdir -p docs/screenshots
	$(RUN_TESTS) THRONG_CHROMIUM=$(CHROMIUM) \
	  THRONG_SCREENSHOT=$(abspath docs/screenshots/demo.png) node run.mjs demo/

clean-tests: ## Remove what the tests installed
	rm -rf tests/node_modules tests/.venv demo/vendor deploy/local/.cache
