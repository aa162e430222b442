# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Every target sets up what it needs; "make" alone says what there is.

MAKEFLAGS += --no-print-directory

help:
	@echo 'make demo        carry a driver'\''s state from kernel to kernel and back'
	@echo 'make demo-vm     replace the kernel of a host under a VM whose network card goes on'
	@echo 'make tool        the kstate command, in build/'
	@echo 'make install     that, its manual pages and completion                PREFIX=/usr/local DESTDIR='
	@echo 'make check       the tests; those of each level can also be run alone, then with what takes long:'
	@echo '  make check-host    the core as a program, under sanitizers'
	@echo '  make check-format  golden streams, read by a second reader'
	@echo '  make check-tool    the kstate command, under sanitizers'
	@echo '  make check-fuzz    streams, images and lock files that lie'
	@echo '  make check-vm      real kernels, real kexecs'
	@echo '  make check-device  devices that go on while the kernel is replaced'
	@echo '  make check-linux   what Linux itself has to test kexec handover and live update'
	@echo '  make check-stock   kernels of Debian as they are, with KSTATE as a module'
	@echo '  make check-arm64   kernels and the demo on arm64, cross-built and emulated; make check leaves it out'
	@echo '  make check-docs    the documentation builds, its examples compile'
	@echo '  make check-pages   what its pages for developers and release engineers do, word by word'
	@echo '                     TEST="NAME...": some; NAME/PART, also a pattern: some of one'
	@echo 'make check-full  make check with what takes long'
	@echo 'make check-deb   the Debian packages, in a bare Debian 12'
	@echo 'make check-systemd  systemd keeps the store of a service over kexecs; builds kernels of its own'
	@echo 'make soak        kexecs in a loop with all that goes wrong, for an hour     MINUTES= SEED= ROUND='
	@echo 'make bench       against memcpy, libfdt and protobuf-c; table and build/bench.json'
	@echo 'make bench-vm    live update beside Linux without KSTATE; table and build/bench-vm.json'
	@echo 'make docs        the documentation as HTML, in build/docs'
	@echo 'make kernel      kernel a, patched and built                     VARIANT=b|plain|module|debug|stock'
	@echo 'make deb         Debian packages, in build/deb'
	@echo 'make series      the patches for Linux 7.2 and 7.3, as they are mailed, in build/series'
	@echo 'make clean       remove build/; kernels stay in the cache'
	@echo
	@echo 'The first run installs packages (Debian), and gets and builds kernels: minutes.'
	@echo 'Kernels are kept in $${XDG_CACHE_HOME:-~/.cache}/kstate; KERNEL_SRC= names another source tree.'

demo:
	@demo/run

demo-vm:
	@demo/vm/run

# TEST= reaches what is made below
check check-full:
	$(if $(TEST),$(error TEST= names tests of one level, as in make check-host TEST=$(TEST)))
	@tests/run $(if $(filter check,$@),--quick)

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
	@tests/vm/run $(QUICK:%=--quick) $(TEST:%='%')

check-device:
	@tests/device/run $(QUICK:%=--quick) $(TEST:%='%')

check-linux:
	@tests/linux/run $(QUICK:%=--quick) $(TEST:%='%')

check-stock:
	@tests/stock/run $(TEST:%='%')

check-arm64:
	@tests/vm/run --arch arm64 --quick $(TEST:%='%')

check-systemd:
	@tests/systemd/run

check-docs:
	@scripts/setup kernel docs
	@scripts/docs --check $(TEST:%='%')

# One at a time: tests in VMs come here, too
check-pages:
	@mkdir -p build; exec 9>build/pages.lock; flock 9; scripts/setup kernel tool pages && \
		$(MAKE) -s -C tool && tests/pages/run $(TEST:%='%')

soak:
	@tests/soak/run $(MINUTES:%=--minutes %) $(SEED:%=--seed %) $(ROUND:%=--round %)

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

bench-vm:
	@scripts/setup kernel vm
	@bench/vm/run

VARIANT ?= a
kernel:
	@scripts/setup kernel
	@scripts/kernel $(VARIANT)

series:
	@scripts/setup kernel series
	@scripts/series

deb:
	@scripts/deb

check-deb:
	@scripts/setup deb vm
	@tests/deb/run $(TEST:%='%')

clean:
	rm -rf build

.PHONY: help demo demo-vm tool install check check-full check-host check-format check-tool check-fuzz check-vm check-device check-linux check-arm64 check-stock check-systemd \
	check-docs check-pages docs soak bench kernel series deb check-deb clean
