# Two commands do everything: `make run` starts Althing, `make test` proves that it works.
# `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help

NPM_CI := npm ci --no-audit --no-fund --loglevel=error
WEB_SOURCES := $(shell find web -name node_modules -prune -o -name dist -prune -o -type f -print 2>/dev/null)
say = @printf '\033[1m==> %s\033[0m\n' "$(1)"

.PHONY: help
help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: tools web ## Build what is missing and start Althing on http://localhost:8080 (ARGS="--http 0.0.0.0:8080 …").
	$(call say,Building the server (the first time takes some minutes))
	cargo build --release --locked --package althing
	$(call say,Starting Althing; end it with Ctrl-C)
	exec target/release/althing serve $(ARGS)

.PHONY: test
test: tools ## Set up everything that tests need, check and test everything.
	node scripts/steps.mjs test

.PHONY: lint
lint: tools ## Formatters, linters, licences, rules of the repository, generated files.
	node scripts/steps.mjs lint

.PHONY: unit
unit: tools ## Tests of the crates and of the web packages.
	node scripts/steps.mjs unit

.PHONY: e2e
e2e: tools ## The real program with real browsers (E2E="--grep share" for some of them).
	node scripts/steps.mjs e2e -- $(E2E)

.PHONY: screens
screens: tools ## Take the pictures in docs/screens anew.
	node scripts/steps.mjs screens

.PHONY: bench
bench: tools web ## Measure against what the machine allows, and against Janus (BENCH="--quick").
	$(call say,Building the server, the load generator and the benchmarks)
	cargo build --release --locked --package althing --package load --package bench
	cargo build --release --locked --package rtc --package sfu --examples
	scripts/setup-bench
	target/release/althing-bench run $(BENCH)

.PHONY: bench-join
bench-join: tools web ## Measure the time from Join to the first remote frame (BENCH="--joins 20").
	$(call say,Building the server)
	cargo build --release --locked --package althing
	scripts/setup-e2e
	cd e2e && node bench/first-frame.mjs $(BENCH)

.PHONY: fuzz
fuzz: tools ## Run each fuzz target for an hour (HOURS=8 for longer).
	scripts/fuzz

.PHONY: fmt
fmt: tools web-deps ## Format Rust and TypeScript.
	cargo fmt --all
	npm --prefix web run --silent format
	web/node_modules/.bin/prettier --config web/.prettierrc.json --log-level warn --write e2e scripts

.PHONY: codegen
codegen: ## Write the TypeScript types and reference pages from the Rust types.
	cargo xtask codegen

.PHONY: web
web: web/node_modules/.built ## Build the web client.

.PHONY: web-deps
web-deps: web/node_modules/.installed

web/node_modules/.installed: web/package-lock.json
	$(call say,Fetching the libraries of the web client)
	cd web && $(NPM_CI)
	@touch $@

web/node_modules/.built: web/node_modules/.installed $(WEB_SOURCES)
	$(call say,Building the web client)
	npm --prefix web run --silent build
	@touch $@

.PHONY: e2e-deps
e2e-deps: e2e/node_modules/.installed

e2e/node_modules/.installed: e2e/package-lock.json
	$(call say,Fetching the libraries of the end-to-end tests)
	cd e2e && $(NPM_CI)
	@touch $@

.PHONY: tools
tools:
	@scripts/check-tools
