# SPDX-License-Identifier: GPL-2.0-only
# The core and the shim as objects of a program. Who includes this has set top and BUILD,
# and the default of CFLAGS; CFLAGS and CPPFLAGS may be added to afterwards. linux= names
# another copy of the core.

CC ?= gcc
linux ?= $(top)/linux
core := $(linux)/kernel/liveupdate/kstate

# These need a kernel around them
core_objs := $(patsubst $(core)/%.c,$(BUILD)/core/%.o,\
		$(filter-out %/sysfs.c %/directory.c,$(wildcard $(core)/*.c))) \
	$(patsubst $(top)/shim/%.c,$(BUILD)/shim/%.o,$(wildcard $(top)/shim/*.c))

override CFLAGS += -std=gnu11 -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Werror
override CPPFLAGS += -I$(top)/shim/include -I$(linux)/include -I$(core) -MMD -MP

define compile
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(CPPFLAGS) -c -o $@ $<
endef

$(BUILD)/core/%.o: $(core)/%.c
	$(compile)

$(BUILD)/shim/%.o: $(top)/shim/%.c
	$(compile)

$(BUILD)/%.o: %.c
	$(compile)

-include $(wildcard $(BUILD)/*.d $(BUILD)/core/*.d $(BUILD)/shim/*.d)
# The first target is the includer's
.DEFAULT_GOAL :=
