/* SPDX-License-Identifier: GPL-2.0-only */
#define KSTATE_VERSION "0.3"
