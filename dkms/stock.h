/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KSTATE as a module for kernels as distributions build them: without kexec handover,
 * and without a way to refuse a kexec.
 */
#ifndef _KSTATE_STOCK_H
#define _KSTATE_STOCK_H

#include "range.h"

struct seq_file;

int kstate_stock_rehearse(const char *token);
void kstate_stock_show(struct seq_file *m);

#endif /* _KSTATE_STOCK_H */
