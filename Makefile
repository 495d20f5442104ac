# Two commands are the whole set-up: `make chat` and `make test`. CONTRIBUTING.md says what the rest is for.

PORT := 8888
HOST := 127.0.0.1
REDIS :=
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60
JOBS ?= $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)

ifeq ($(origin CC),default)
CC := $(or $(shell command -v gcc),$(shell command -v clang),gcc)
endif
CLANG ?= clang
CMAKE := cmake -Wno-dev
MAKEFLAGS += --no-print-directory

# Debian packages. Those that are there already are not touched (.ci/packages).
C_PACKAGES := libuv1-dev zlib1g-dev pkg-config cmake libc6-dev $(if $(filter %gcc,$(CC)),gcc)
SWIFT_PACKAGES := swift git ca-certificates libuv1-dev zlib1g-dev libhiredis-dev pkg-config libc6-dev
CODEC_PACKAGES := libbrotli-dev libzstd-dev
TEST_PACKAGES := $(C_PACKAGES) $(SWIFT_PACKAGES) $(CODEC_PACKAGES) redis-server gcc g++ python3 curl abigail-tools
BENCH_PACKAGES := nginx libnginx-mod-http-lua libh2o-evloop-dev libssl-dev libmicrohttpd-dev libevent-dev python3-venv
# What tests are built with; users get zlib alone.
CODECS ?= -DGALE_ZLIB=ON -DGALE_BROTLI=ON -DGALE_ZSTD=ON

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r t text; do \
		printf '  make %-10s %s\n' "$$t" "$$text"; done

chat: ## build the chat and serve it at http://127.0.0.1:8888 (PORT=, HOST=, REDIS=URL joins several)
	@.ci/packages $(SWIFT_PACKAGES)
	swift build -c release --product chat
	@exec .build/release/chat --host $(HOST) --port $(PORT) $(if $(REDIS),--redis "$(REDIS)")

test: ## run all tests: C with gcc and clang, Swift, Python, examples, installation
	@.ci/packages $(TEST_PACKAGES)
	@$(MAKE) test-c test-swift test-examples test-install

lib: ## build/lib/libgale.a and libgale.so (needs no Swift)
	@.ci/packages $(C_PACKAGES)
	@.ci/quiet $(CMAKE) -S . -B build -DCMAKE_C_COMPILER=$(CC) -DGALE_BUILD_EXAMPLES=ON
	cmake --build build --target gale gale_static -j $(JOBS)

install: ## install header, library, gale.pc and the CMake package (PREFIX=, DESTDIR=)
	@[ -n "$(PREFIX)" ] || { echo "make install: PREFIX is empty; say where to, as in PREFIX=/usr/local" >&2; exit 2; }
	@$(MAKE) lib
	cmake --install build --prefix "$(PREFIX)"
	@if [ -z "$(DESTDIR)" ] && [ "$$(id -u)" = 0 ]; then ldconfig 2>/dev/null || true; fi

examples: examples-c examples-swift ## build/examples/NAME (C) and .build/release/NAME (Swift)

bench: ## compare with other servers on this machine: a table, build/bench.json and docs/bench.svg
	@.ci/packages $(TEST_PACKAGES) $(BENCH_PACKAGES)
	@$(MAKE) examples
	python3 Benchmarks/bench.py --json build/bench.json --picture docs/bench.svg

asan: ## C tests and examples under AddressSanitizer and UBSan
	@$(MAKE) sanitize NAME=asan SANITIZE=address,undefined SANITIZE_CC="$(CLANG)"

tsan: ## C tests and examples under ThreadSanitizer
	@$(MAKE) sanitize NAME=tsan SANITIZE=thread SANITIZE_CC=gcc

asan-swift: ## Swift tests under AddressSanitizer
	@.ci/packages $(SWIFT_PACKAGES) redis-server
	LSAN_OPTIONS="suppressions=$(CURDIR)/Tests/CTests/lsan.suppressions" \
		swift test --no-parallel --sanitize=address --scratch-path build/swift-asan

tsan-swift: ## Swift tests under ThreadSanitizer
	@.ci/packages $(SWIFT_PACKAGES) redis-server
	TSAN_OPTIONS="suppressions=$(CURDIR)/Tests/CTests/tsan.suppressions halt_on_error=1" \
		swift test --no-parallel --sanitize=thread --scratch-path build/swift-tsan

neon: ## tests of the parsers on AArch64, in an emulator
	@.ci/packages gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user
	@.ci/neon

fuzz: ## run each fuzzer for FUZZ_SECONDS (60); FUZZ=part of a name; finds land in build/fuzz
	@.ci/packages $(C_PACKAGES) $(CODEC_PACKAGES)
	@CLANG="$(CLANG)" JOBS="$(JOBS)" .ci/fuzz $(FUZZ_SECONDS) $(FUZZ)

format: ## format all sources in place
	@.ci/packages clang-format swift
	@.ci/format

check: ## what `format` would change, the walls of the architecture, the rules of gale.h; changes nothing
	@.ci/packages clang-format swift python3
	@.ci/format --check
	@.ci/walls
	@.ci/header
	@.ci/parity

abi: ## record what was added to gale.h in Tests/Install/recorded; ANEW=1: also what changed, before a release
	@.ci/packages $(C_PACKAGES) python3 abigail-tools
	@Tests/Install/abi $(if $(ANEW),--anew,--record)

proxies: ## the C echo server behind nginx, haproxy and systemd's sockets, as docs/deploy.md has them
	@.ci/packages $(C_PACKAGES) python3 nginx libnginx-mod-stream haproxy openssl systemd
	@$(MAKE) examples-c
	python3 Tests/Proxy/run.py build/examples/echo

websocket: lib ## the C echo server and client, and another implementation of WebSocket, compressed in every way
	@.ci/packages $(C_PACKAGES) python3-venv
	@.ci/venv
	@$(MAKE) examples-c
	build/venv/bin/python Tests/WebSocket/run.py build/examples/echo

parity: ## the behaviours of docs/tornado-parity.md that no test proves
	@.ci/packages python3
	@.ci/parity

docs: ## build/docs: reference of the Swift API (the C API is documented in include/gale.h)
	@.ci/packages $(SWIFT_PACKAGES)
	@.ci/docs

clean: ## remove everything that was built
	rm -rf build .build

# ------------------------------------------------------------------------------------------------------------ parts

test-c:
	@$(MAKE) ctest NAME=gcc CTEST_CC=gcc
	@$(MAKE) ctest NAME=clang CTEST_CC="$(CLANG)"
	@$(MAKE) ctest NAME=bare CTEST_CC=gcc CODECS=-DGALE_ZLIB=OFF
	@for cc in gcc "$(CLANG)"; do $$cc -std=gnu11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only \
		-ISources/CGaleRedis/include Sources/CGaleRedis/*.c || exit 1; done

ctest:
	@echo "C tests, $(NAME)"
	@.ci/quiet $(CMAKE) -S . -B build/test-$(NAME) -DCMAKE_C_COMPILER="$(CTEST_CC)" -DCMAKE_BUILD_TYPE=RelWithDebInfo \
		-DGALE_BUILD_TESTS=ON -DGALE_WERROR=ON -DGALE_INSTALL=OFF $(CODECS)
	@.ci/quiet cmake --build build/test-$(NAME) -j $(JOBS)
	ulimit -v 8000000 && timeout 600 build/test-$(NAME)/tests/gale_tests

test-swift:
	swift test

test-examples: examples
	python3 Tests/Install/examples.py build/examples .build/release

test-install: lib
	Tests/Install/header
	Tests/Install/abi
	Tests/Install/run
	Tests/Install/rust

sanitize: TSAN_OPTIONS = suppressions=$(CURDIR)/Tests/CTests/tsan.suppressions
sanitize:
	@.ci/packages $(C_PACKAGES) $(CODEC_PACKAGES) gcc python3
	@.ci/quiet $(CMAKE) -S . -B build/$(NAME) -DCMAKE_C_COMPILER="$(SANITIZE_CC)" -DCMAKE_BUILD_TYPE=RelWithDebInfo \
		-DGALE_SANITIZE=$(SANITIZE) -DGALE_BUILD_TESTS=ON -DGALE_BUILD_EXAMPLES=ON -DGALE_INSTALL=OFF $(CODECS)
	@.ci/quiet cmake --build build/$(NAME) -j $(JOBS)
	TSAN_OPTIONS="$(TSAN_OPTIONS)" timeout 1200 build/$(NAME)/tests/gale_tests
	TSAN_OPTIONS="$(TSAN_OPTIONS)" python3 Tests/Install/examples.py build/$(NAME)/examples

examples-c: lib
	cmake --build build -j $(JOBS)

examples-swift:
	@.ci/packages $(SWIFT_PACKAGES)
	swift build -c release --product echo
	swift build -c release --product chat

.PHONY: help chat test lib install examples bench asan tsan asan-swift tsan-swift neon fuzz format check abi proxies websocket docs clean \
	test-c ctest test-swift test-examples test-install sanitize examples-c examples-swift
