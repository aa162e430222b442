/* SPDX-License-Identifier: GPL-2.0-only */
/* Options are macros: 1 where they are set */
#ifndef SHIM_KCONFIG_H
#define SHIM_KCONFIG_H

#define CONFIG_KSTATE 1
#define CONFIG_KSTATE_GATE 1

/* A macro that is 1 puts a comma before the 1 that is chosen, any other none */
#define SHIM_SECOND(ignored, val, ...)	val
#define SHIM_CHOOSE(...)		SHIM_SECOND(__VA_ARGS__)
#define SHIM_ENABLED(prefix)		SHIM_CHOOSE(prefix 1, 0, 0)
#define SHIM_PASTE(x)			SHIM_ENABLED(SHIM_COMMA_##x)
#define SHIM_COMMA_1			0,
#define IS_ENABLED(option)		SHIM_PASTE_(option)
#define SHIM_PASTE_(x)			SHIM_PASTE(x)
#define IS_REACHABLE(option)		IS_ENABLED(option)
#define IS_BUILTIN(option)		IS_ENABLED(option)

#endif
