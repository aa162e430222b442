/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_UTSNAME_H
#define _SHIM_LINUX_UTSNAME_H

struct new_utsname {
	char sysname[65];
	char nodename[65];
	char release[65];
	char version[65];
	char machine[65];
};

struct new_utsname *init_utsname(void);
#define utsname()		init_utsname()

#endif
