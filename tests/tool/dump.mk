# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What the tests of kstate dump and diff are made of: BUILD= is where to build.
#   dump_damage  damaged streams, under sanitizers
#   dump_make    streams as large as they are wanted
#   diff_make    the same object, as two generations of a driver save it

top := $(abspath ../..)
BUILD ?= $(top)/build/tests-tool
CFLAGS ?= -O1 -g
include $(top)/shim/core.mk

override CFLAGS += -Wno-missing-field-initializers -fno-omit-frame-pointer $(SANITIZE)
override CPPFLAGS += -D_GNU_SOURCE= -I$(top)/tool -Wa,-I,$(top)/tool
dump_objs := $(patsubst %,$(BUILD)/%.o,stream walk text dump dump_json html output)

all: $(BUILD)/dump_damage $(BUILD)/dump_make $(BUILD)/diff_make

$(BUILD)/dump_damage: $(BUILD)/dump_damage.o $(dump_objs) $(BUILD)/core.a
	$(CC) $(CFLAGS) -o $@ $^ -ljansson

$(BUILD)/dump_make $(BUILD)/diff_make: %: %.o $(BUILD)/core.a
	$(CC) $(CFLAGS) -o $@ $^

$(BUILD)/core.a: $(core_objs)
	rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/html.o: $(top)/tool/page.html

$(BUILD)/%.o: $(top)/tool/%.c
	$(compile)

.PHONY: all
