GO ?= go
BIN := .bucketgen/bin

# golangci-lint is a module of its own, so that none of it reaches a host. Its go.mod pins the version; it is built
# again when that changes.
LINT_MODULE := tools/lint
GOLANGCI_LINT := $(BIN)/golangci-lint

.PHONY: lint
lint: $(GOLANGCI_LINT) ## check style and imports
	$(GOLANGCI_LINT) run ./...

$(GOLANGCI_LINT): $(LINT_MODULE)/go.mod
	@mkdir -p $(@D)
	cd $(LINT_MODULE) && $(GO) build -o $(abspath $@) github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	@touch $@
