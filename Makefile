# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Every target sets up what it needs; "make" alone says what there is.

MAKEFLAGS += --no-print-directory

help:
	@echo 'make demo        carry a driver'\''s state from kernel to kernel and back'
	@echo 'make tool        the kstate command, in build/'
	@echo 'make install     that, its manual pages and completion                PREFIX=/usr/local DESTDIR='
	@echo 'make check       all tests, each of which can also be run alone:'
	@echo '  make check-host    the core as a program, under sanitizers'
	@echo '  make check-format  golden streams, read by a second reader'
	@echo '  make check-tool    the kstate command, under sanitizers'
	@echo '  make check-fuzz    streams, images and lock files that lie'
	@echo '  make check-vm      real kernels, real kexecs'
	@echo '  make check-docs    the documentation builds, its examples compile'
	@echo '                     TEST="NAME...": some; NAME/PART, also a pattern: some of one'
	@echo 'make bench       against memcpy, libfdt and protobuf-c; table and build/bench.json'
	@echo 'make docs        the documentation as HTML, in build/docs'
	@echo 'make kernel      kernel a, patched and built                     VARIANT=b|plain|module|debug'
	@echo 'make clean       remove build/; kernels stay in the cache'
	@echo
	@echo 'The first run installs packages (Debian), and gets and builds kernels: minutes.'
	@echo 'Kernels are kept in $${XDG_CACHE_HOME:-~/.cache}/kstate; KERNEL_SRC= names another source tree.'

demo:
	@demo/run

# TEST= reaches what is made below
check:
	$(if $(TEST),$(error TEST= names tests of one level, as in make check-host TEST=$(TEST)))
	@tests/run

check-host:
	@scripts/setup host
	@$(MAKE) -s -C tests/host check

check-format:
	@scripts/setup host
	@tests/format/check $(TEST:%='%')

check-tool:
	@scripts/setup host tool browser
	@$(MAKE) -s -C tests/tool check

check-fuzz:
	@scripts/setup host tool
	@$(MAKE) -s -C tests/fuzz check

check-vm:
	@tests/vm/run $(TEST:%='%')

check-docs:
	@scripts/setup kernel docs
	@scripts/docs --check $(TEST:%='%')

tool:
	@scripts/setup tool
	@$(MAKE) -s -C tool

install: tool
	@$(MAKE) -s -C tool install

docs:
	@scripts/setup kernel docs
	@scripts/docs

bench:
	@scripts/setup host tool bench
	@$(MAKE) -s -C bench

VARIANT ?= a
kernel:
	@scripts/setup kernel
	@scripts/kernel $(VARIANT)

clean:
	rm -rf build

.PHONY: help demo tool install check check-host check-format check-tool check-fuzz check-vm check-docs docs bench kernel clean
