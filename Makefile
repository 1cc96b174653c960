# What people run. CI runs `make test`, `make test-hatchet`, `make test-sdks` and `make test-studio`.
GO ?= go
BIN := .bucketgen/bin
DEMO := examples/cdnow
# golangci-lint is a module of its own, so that none of it reaches a host. Its go.mod pins the version.
LINT_MODULE := tools/lint
GOLANGCI_LINT := $(BIN)/golangci-lint
CLIENT := engine/server/client
# How long a fuzz target runs. There are 11 of them, so make fuzz takes some seven minutes.
FUZZTIME ?= 30s
GROWTH := -rounds 5 -span 2s -warm 5s -users 5000 -stored 100000

.PHONY: help
help: ## list what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.PHONY: setup
setup: ## install what demo and tests need, if it is missing
	@scripts/setup

# With STUDIO=1 the replayed shop stays in a private PostgreSQL, and Studio shows it as of the end of the replay.
.PHONY: demo
demo: setup ## replay 69,659 real purchases and print who entered and left which bucket; STUDIO=1 shows them in a browser
	@cd $(DEMO) && $(GO) build -o .bucketgen/purchases ./cmd/purchases && $(GO) build -o .bucketgen/shopd ./cmd/shopd
	@echo "replaying the purchases of 23,570 customers, January 1997 to June 1998, into a private PostgreSQL"
	@cd $(DEMO) && .bucketgen/purchases data/CDNOW_master.txt.gz > .bucketgen/purchases.jsonl
	@cd $(DEMO) && .bucketgen/shopd replay .bucketgen/purchases.jsonl --until 1998-07-01T00:00:00Z $(if $(STUDIO),,--database temp)
	@$(if $(STUDIO),cd $(DEMO) && .bucketgen/shopd dev --at 1998-07-01T00:00:00Z,:)

.PHONY: test
test: setup ## run every test
	$(GO) test -timeout 40m ./...

# What shows within minutes that a version of PostgreSQL is as good as another.
POSTGRES_SHORT := Equivalence|TestConcurrencyAndCrashes|TestHotQueries|TestStatementsDoNotGrow|TestRecordings|TestHistory|TestUp|TestLater

.PHONY: test-postgres
test-postgres: setup ## run the tests of the engine on PostgreSQL 15, 16, 17 or 18, which it installs from npm: VERSION=18; RUN=short runs those that depend most on the server
	bin=$$(scripts/setup-postgres "$(VERSION)") && POSTGRES_BIN=$$bin $(GO) test -timeout 40m -count=1 $(if $(RUN),-run '$(if $(filter short,$(RUN)),$(POSTGRES_SHORT),$(RUN))') \
		./engine ./engine/migrate ./internal/conformance/... ./internal/store

.PHONY: test-hatchet
test-hatchet: setup ## run the tests that need a Hatchet server, which they build and start
	$(GO) test -timeout 20m -count=1 -p 1 -tags hatchet -run Hatchet ./engine/hatchet ./internal/hatchettest

.PHONY: test-sdks
test-sdks: setup ## run the SDKs of Segment, RudderStack and PostHog from npm, in Node.js and Chromium, against a server
	@scripts/setup-sdks
	$(GO) test -timeout 10m -count=1 -tags sdks -run 'NodeSDKs|BrowserSDKs|BrowserJourneys' -v ./engine/server

.PHONY: test-studio
test-studio: setup ## run the checks of Studio in Chromium, which it installs, against a server; ONLY='^34' runs those whose names match
	@scripts/setup-studio
	$(GO) test -timeout 20m -count=1 -tags studio -run TestBrowser -v ./engine/studio $(if $(ONLY),-studio.only '$(ONLY)')

.PHONY: screenshots
screenshots: setup ## take the pictures of Studio in docs/img, of the shop of make demo at a fixed time
	@scripts/setup-studio
	SCREENSHOTS=$(abspath docs/img) $(GO) test -timeout 20m -count=1 -tags studio,screenshots -run TestScreenshots -v ./engine/studio

.PHONY: pictures
pictures: setup screenshots ## draw the pictures of docs/img anew, from the product
	$(GO) run ./internal/pictures docs/img
	$(GO) test -count=1 -run TestPicture ./registry/table -update
	$(GO) test -count=1 -timeout 20m -run 'TestHowTo' ./internal/doctest -update

.PHONY: docs
docs: ## build the site of docs/ with search into .bucketgen/site, and check its links and anchors; needs Node.js 20
	@scripts/setup-docs
	cd tools/docs && npm run --silent build

.PHONY: test-docs
test-docs: setup ## run, compile and parse every block of code of the documentation
	$(GO) test -count=1 -timeout 20m ./internal/doctest

.PHONY: release
release: ## build what a release has into .bucketgen/release: programs, checksums and an SBOM; publishes nothing
	@GO="$(GO)" scripts/release

.PHONY: dev-hatchet
dev-hatchet: setup ## run bucketd on PostgreSQL and Hatchet, both private, until interrupted
	@$(GO) build -o $(BIN)/ ./cmd/bucketd ./internal/hatchettest/dev-hatchet
	@$(BIN)/dev-hatchet $(BIN)/bucketd dev

.PHONY: check
check: setup generated build lint race fuzz ## everything that must hold before a commit

.PHONY: generated
generated: $(BIN)/sqlc ## fail if generated code is not what it should be
	$(GO) run ./cmd/bucketgen check ./buckets
	cd $(DEMO) && $(GO) tool bucketgen check ./buckets
	$(BIN)/sqlc diff
	$(GO) test -count=1 -run 'TestDocument$$' ./internal/manage
	cd $(CLIENT) && $(GO) tool -modfile=../../../tools/openapi/go.mod oapi-codegen -config generate.yaml -o $(abspath $(BIN))/client_gen.go ../../../docs/openapi.yaml
	diff -u $(CLIENT)/client_gen.go $(BIN)/client_gen.go
	$(GO) test -count=1 -run 'TestReference|TestCommandReference' ./internal/doctest ./engine/server ./cmd/bucketgen
	scripts/check-studio $(abspath $(BIN))/studio

.PHONY: generate
generate: $(BIN)/sqlc ## generate everything anew
	$(BIN)/sqlc generate
	$(GO) test -run 'TestDocument$$' ./internal/manage -update
	$(GO) test -run TestCommandReference ./engine/server ./cmd/bucketgen -update
	$(GO) test -run TestReference ./internal/doctest -update
	$(GO) run ./internal/pictures docs/img tables stay-states
	$(GO) generate ./...
	cd $(DEMO) && $(GO) generate ./...

.PHONY: build
build: ## compile and vet everything
	$(GO) build ./...
	$(GO) vet ./...
	cd $(DEMO) && $(GO) vet ./...

.PHONY: lint
lint: $(GOLANGCI_LINT) ## check style and imports
	$(GOLANGCI_LINT) run ./...

.PHONY: race
race: setup ## run every test with the race detector
	$(GO) test -race -timeout 60m ./...

.PHONY: fuzz
fuzz: setup ## run every fuzz target for FUZZTIME each, 30s unless it says otherwise
	@GO="$(GO)" scripts/fuzz $(FUZZTIME)

.PHONY: soak
soak: setup ## let users, visitors, deployments and kills go on for an hour, FOR=3m for less, and fail if anything grows; SVG=FILE draws the curves
	$(GO) build -o $(BIN)/ ./bench/soak
	$(BIN)/soak -for $(or $(FOR),1h) $(if $(SVG),-svg $(SVG))

.PHONY: bench
bench: setup ## measure ingest, clock, backfill, outbox and growth against yardsticks in the same run, in minutes
	$(GO) build -o $(BIN)/ ./bench
	$(BIN)/bench
	$(BIN)/bench -callers 256
	$(BIN)/bench -segments
	$(BIN)/bench -clock 20000 -users 10000 -stored 100000
	$(BIN)/bench -expire 50000 -users 5000 -stored 100000
	$(BIN)/bench -backfill 100000
	$(BIN)/bench -outbox -backlog 40000 -span 3s
	$(BIN)/bench -grow buckets -to 10000 $(GROWTH)
	$(BIN)/bench -grow users -to 100000 $(GROWTH) -warm 10s
	$(BIN)/bench -grow crowd -to 100000 $(GROWTH)
	$(BIN)/bench -grow history -to 100000 $(GROWTH)

.PHONY: bench-match
bench-match: ## measure matching beside expr and cel-go, up to 10,000 buckets
	cd bench/match && $(GO) run . -sizes 100,1000,10000 && $(GO) run . -alone -sizes 100,1000,10000

.PHONY: bench-generate
bench-generate: ## measure generating 1,000 buckets and compiling what was generated
	$(GO) run ./bench/generate -sizes 1000

.PHONY: bench-studio
bench-studio: setup ## measure Studio with 1,000,000 users, 10,000 buckets and 4,000,000 stays, then its live page in Chromium, in a quarter of an hour
	$(GO) build -o $(BIN)/bench-studio ./bench/studio
	$(BIN)/bench-studio
	@scripts/setup-studio
	STUDIO_TIMED=1 $(GO) test -timeout 20m -count=1 -tags studio -run TestBrowser -v ./engine/studio -studio.only 'live page at 1,000'

.PHONY: bench-full
bench-full: setup ## run every benchmark as far as the targets of docs/benchmarks.md go, in three quarters of an hour, and draw its figures anew
	$(GO) build -o $(BIN)/ ./bench
	$(BIN)/bench
	$(BIN)/bench -callers 256
	$(BIN)/bench -segments
	$(BIN)/bench -clock 100000 -rounds 3
	$(BIN)/bench -expire 1000000 -users 5000 -stored 100000
	$(BIN)/bench -backfill 1000000
	$(BIN)/bench -outbox
	$(BIN)/bench -grow buckets -to 100000 $(GROWTH) -svg docs/img/growth-buckets.svg
	$(BIN)/bench -grow users -to 1000000 $(GROWTH) -warm 20s -stored 1000000
	$(BIN)/bench -grow crowd -to 1000000 $(GROWTH) -stored 1000000
	$(BIN)/bench -grow history -to 1000000 $(GROWTH) -svg docs/img/growth-history.svg
	cd bench/match && $(GO) run . -svg ../../docs/img/matching.svg && $(GO) run . -alone
	$(GO) run ./bench/generate
	$(GO) test ./engine -run '^$$' -bench History -benchtime 1000x

.PHONY: conformance
conformance: setup ## play recorded scenarios: make conformance DIR=folder
	$(GO) run ./internal/conformance/play $(or $(DIR),internal/conformance/testdata)

# Tools are built once; go.mod pins their versions.
$(BIN)/sqlc: go.mod
	@mkdir -p $(BIN)
	$(GO) build -o $@ github.com/sqlc-dev/sqlc/cmd/sqlc

$(GOLANGCI_LINT): $(LINT_MODULE)/go.mod
	@mkdir -p $(@D)
	cd $(LINT_MODULE) && $(GO) build -o $(abspath $@) github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	@touch $@
