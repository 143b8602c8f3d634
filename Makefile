SHELL := /bin/bash
.DELETE_ON_ERROR:

GO            ?= go
GOLANGCI      := v2.15.0
HELM          := v4.3.1
KUBECONFORM   := v0.8.0
KUBERNETES    := v1.37.1
COMPOSEGO     := v2.16.2
OTELCOL       := v0.165.0
BENCHSTAT     := v0.0.0-20260908200009-22c9c6c9d4da
# The release that an upgrade comes from: the newest tag, or the last revision before there were any.
PREVIOUS      ?= $(or $(shell git describe --tags --abbrev=0 2>/dev/null),b1b119c)
TOOLS         ?= $(CURDIR)/bin/tools
TEST_TIMEOUT  ?= 30m
FUZZTIME      ?= 30s
PROVE_TIMEOUT ?= 90m
BENCHTIME     ?= 1s
BASELINE      ?= bench/baseline.json
PKG           ?= ./...

VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
REVISION ?= $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
LDFLAGS  := -s -w -X main.version=$(VERSION) -X main.revision=$(REVISION)

# golangci-lint is built for the Go release that runs it, and kept.
LINTER := $(TOOLS)/golangci-lint-$(GOLANGCI)

# Programs that tests run: built once as NAME-VERSION, and found by the tests as NAME in the folder
# that AISTRALE_TOOLS names. One that cannot be had skips its tests, but not with CI=true.
INSTRUMENTS := $(TOOLS)/otelcol-$(OTELCOL) $(TOOLS)/helm-$(HELM) $(TOOLS)/kubeconform-$(KUBECONFORM) $(TOOLS)/kubernetes-$(KUBERNETES) $(TOOLS)/compose-$(COMPOSEGO) $(TOOLS)/previous-v$(PREVIOUS:v%=%)
export AISTRALE_TOOLS := $(TOOLS)
export AISTRALE_PREVIOUS := $(PREVIOUS)

# SQLite is C made Go, and most of a test's time where the race detector watches each of its
# accesses; its driver and all else are watched. Programs that tests build inherit it.
RACE = CGO_ENABLED=1 GOFLAGS='$(strip $(GOFLAGS) -gcflags=modernc.org/sqlite/lib=-race=false -gcflags=modernc.org/libc/...=-race=false)'

# Packages with benchmarks, or with tests of allocations.
MEASURED = $(shell grep -rlE --include='*_test.go' 'func Benchmark|AllocsPerRun' . | xargs -r -n1 dirname | sort -u)
GOLDEN   = $(shell grep -rlE --include='*_test.go' 'providertest\.Golden|func Test[A-Za-z]*Golden' providers cmd admin internal | xargs -r -n1 dirname | sort -u | sed 's|^|./|')

.PHONY: help build run dist up down test measured node gcc instruments lint fmt prove fuzz bench bench-compare bench-check bench-transport benchers capacity micro golden dashboards tools clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | sed -E 's/^([a-z-]+):.*## (.*)/\1|\2/' | awk -F'|' '{printf "%-14s %s\n", $$1, $$2}'

build: ## build bin/aistrale, one static binary
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o bin/aistrale ./cmd/aistrale

run: build ## build, and serve in developer mode on loopback
	exec bin/aistrale serve

# The binaries of a release, each with what it is made of, and their checksums.
PLATFORMS ?= linux/amd64 linux/arm64 darwin/amd64 darwin/arm64
CYCLONEDX := v1.10.0

dist: ## build the binaries of a release into dist, with SBOMs and checksums
	rm -rf dist && mkdir dist
	@set -e; for platform in $(PLATFORMS); do \
		name=aistrale-$(VERSION)-$${platform%/*}-$${platform#*/}; echo $$name; \
		export CGO_ENABLED=0 GOOS=$${platform%/*} GOARCH=$${platform#*/}; \
		$(GO) build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o dist/$$name ./cmd/aistrale; \
		GOOS= GOARCH= $(GO) run github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@$(CYCLONEDX) bin -json -output dist/$$name.cdx.json -version '$(VERSION)' dist/$$name; \
	done
	cd dist && sha256sum -- * > SHA256SUMS

# PROFILES= leaves the load out; VOLUMES=1 throws away what is kept.
PROFILES ?= load
COMPOSE   = VERSION='$(VERSION)' REVISION='$(REVISION)' docker compose -f deploy/compose.yaml $(addprefix --profile ,$(PROFILES))

up: ## start two gateways with all that watches them, by docker compose
	deploy/secrets.sh
	$(COMPOSE) up --build --detach --wait --remove-orphans
	@echo 'gateway http://127.0.0.1:8080, control plane http://127.0.0.1:8081, Grafana http://127.0.0.1:3000 (admin, deploy/secrets/grafana_password)'

down: ## stop them
	$(COMPOSE) down --remove-orphans $(if $(VOLUMES),--volumes)

test: node gcc instruments ## the whole suite under the race detector, with real PostgreSQL and Redis
	$(RACE) $(GO) test -race -timeout $(TEST_TIMEOUT) $(PKG)
	@$(MAKE) --no-print-directory measured

# The race detector allocates, so tests of allocations (named Test…Alloc…) may skip themselves
# under it and run here; so does every benchmark, once, that none rots.
measured:
	@set -o pipefail; CGO_ENABLED=0 $(GO) test -timeout $(TEST_TIMEOUT) -run '[Aa]lloc' -bench . -benchtime 1x $(MEASURED) \
		| { grep -vE '^(goos|goarch|pkg|cpu):|^PASS$$' || true; }

# The race detector needs a C compiler.
gcc:
	@command -v gcc >/dev/null || if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		export DEBIAN_FRONTEND=noninteractive; \
		apt-get update -q && apt-get install -q -y --no-install-recommends gcc libc6-dev; \
	else \
		echo 'the race detector needs gcc: apt-get install gcc libc6-dev'; exit 1; \
	fi

# The clients' tests are in cmd/aistrale; they skip themselves without Node.js.
node:
	@major=$$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0); \
	if [ "$$major" -lt 20 ] || ! command -v npm >/dev/null; then \
		echo 'Node.js >= 20 with npm is missing (apt-get install nodejs npm): the tests of Node.js clients are left out'; \
		[ "$${CI:-}" != true ]; \
	fi

lint: $(LINTER) ## golangci-lint, pinned
	$(LINTER) run $(PKG)

fmt: ## format the Go files
	gofmt -w $$($(GO) list -f '{{.Dir}}' ./...)

prove: gcc instruments ## the long proofs (full kill, race, soak and fuzz counts) and their figures
	@set -o pipefail; AISTRALE_PROVE=1 $(RACE) $(GO) test -race -count 1 -v -timeout $(PROVE_TIMEOUT) $(PKG) \
		| { grep -vE 'no test files|^ *(=== |--- PASS: .*\(0\.0|PASS$$)' || true; }
	@$(MAKE) --no-print-directory fuzz

fuzz: ## every fuzz target, for FUZZTIME (30s) each
	@GO='$(GO)' FUZZTIME='$(FUZZTIME)' bash .ci/fuzz

bench: benchers ## CPU per request and event against a bare Go proxy and nginx, on Linux; BENCH='-only 335B' narrows it
	bin/bench $(BENCH)

bench-compare: benchers $(TOOLS)/benchstat-$(BENCHSTAT) ## what changed since the revision BASE, beyond noise: both builds in the same rounds
	@[ -n '$(BASE)' ] || { echo 'name a revision: make bench-compare BASE=main'; exit 2; }
	rm -rf bin/base && mkdir -p bin/base && git archive '$(BASE)' | tar -x -C bin/base
	cd bin/base && CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -o program ./cmd/aistrale
	bin/bench -base bin/base/program -gateways aistrale -rounds 10 -seconds 1s -gobench bin/compare.txt $(BENCH)
	$(TOOLS)/benchstat-$(BENCHSTAT) -col build bin/compare.txt

bench-check: benchers ## fail where a ratio to the floor is worse than in BASELINE by more than 15 %
	@[ -e '$(BASELINE)' ] || { echo "$(BASELINE) is not there: on a quiet machine, make bench BENCH='-json $(BASELINE)'"; exit 2; }
	bin/bench -against '$(BASELINE)' $(BENCH)

bench-transport: ## HTTP/1.1 as the gateway speaks it against HTTP/2, both by TLS to one upstream
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -o bin/transport ./bench/transport
	bin/transport $(BENCH)

# What measures, and what the gateway is held against.
benchers: build
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -o bin/floor ./bench/floor
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -o bin/bench ./bench

capacity: ## what a load takes, by what one request was measured to take: FIGURES=figures.json of a whole bench
	@$(GO) run ./bench/capacity -figures '$(FIGURES)'

micro: ## every Go benchmark, for BENCHTIME (1s) each
	@set -o pipefail; CGO_ENABLED=0 $(GO) test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) $(MEASURED) \
		| { grep -vE '^(goos|goarch|PASS)' || true; }

golden: ## write the golden files and docs/compatibility.md anew; review the diff
	$(GO) test $(GOLDEN) -run Golden -update
	AISTRALE_UPDATE=1 $(GO) test ./storage/sqlite -run TestSchemas
	git --no-pager diff --stat

dashboards: ## write the dashboards and rules under deploy anew, of internal/boards
	$(GO) test ./internal/boards -run Golden -update

tools: $(LINTER) ## build the pinned tools into bin/tools

$(TOOLS):
	mkdir -p $@

instruments: $(INSTRUMENTS)
	@for tool in $(notdir $^); do ln -sfn $$tool '$(TOOLS)'/$${tool%-v*}; done

# A collector is a program of chosen parts, which its builder writes and builds.
$(TOOLS)/otelcol-$(OTELCOL): | $(TOOLS)
	@echo 'otelcol $(OTELCOL) is built once, which takes minutes'; \
	made=$$(mktemp -d) && sed 's|VERSION|$(OTELCOL)|; s|OUTPUT|'"$$made"'|' internal/telemetry/testdata/otelcol.yaml >"$$made/manifest.yaml" && \
		GOBIN="$$made" $(GO) install go.opentelemetry.io/collector/cmd/builder@$(OTELCOL) && CGO_ENABLED=0 "$$made/builder" --config "$$made/manifest.yaml" && \
		mv "$$made/otelcol" $@ && rm -rf "$$made" || [ "$${CI:-}" != true ]

$(TOOLS)/helm-$(HELM): | $(TOOLS)
	@$(call install,helm.sh/helm/v4/cmd/helm,$(HELM))

$(TOOLS)/kubeconform-$(KUBECONFORM): | $(TOOLS)
	@$(call install,github.com/yannh/kubeconform/cmd/kubeconform,$(KUBECONFORM))

$(TOOLS)/previous-v$(PREVIOUS:v%=%): | $(TOOLS)
	@git cat-file -e '$(PREVIOUS)^{commit}' 2>/dev/null || { echo '$(PREVIOUS) is not in this clone: the test of an upgrade is left out'; exit 0; }; \
	source=$$(mktemp -d) && git archive '$(PREVIOUS)' | tar -x -C "$$source" && cd "$$source" && \
		CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '-s -w -X main.version=$(PREVIOUS)' -o '$@' ./cmd/aistrale && rm -rf "$$source"

# What a cluster of this release would take, as the API says it.
$(TOOLS)/kubernetes-$(KUBERNETES): | $(TOOLS)
	@dir=$$($(GO) mod download -json k8s.io/kubernetes@$(KUBERNETES) | sed -n 's/.*"Dir": "\(.*\)",*/\1/p') && \
		cp "$$dir/api/openapi-spec/swagger.json" $@ || [ "$${CI:-}" != true ]

# What docker compose itself reads its files with; the whole of it takes long to build.
$(TOOLS)/compose-$(COMPOSEGO): | $(TOOLS)
	@$(call install,github.com/compose-spec/compose-go/v2/cmd,$(COMPOSEGO))

$(TOOLS)/benchstat-$(BENCHSTAT): | $(TOOLS)
	@$(call install,golang.org/x/perf/cmd/benchstat,$(BENCHSTAT))

# install builds the program of a Go module as NAME-VERSION: its path, its version.
install = echo '$(notdir $1) $2 is built once, which takes minutes'; \
	CGO_ENABLED=0 GOBIN='$(TOOLS)/new' $(GO) install $1@$2 && mv '$(TOOLS)/new/$(notdir $1)' $@ || [ "$${CI:-}" != true ]

$(LINTER): | $(TOOLS)
	GOBIN='$(TOOLS)' $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI)
	mv '$(TOOLS)/golangci-lint' $@

clean: ## remove what was built
	rm -rf bin
