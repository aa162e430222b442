/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is surely meant otherwise.
 */
#ifndef _TOOL_MISTAKES_H
#define _TOOL_MISTAKES_H

#include "engine.h"
#include "tool.h"

/**
 * find_mistakes() - check a description for what is surely meant otherwise
 * @desc: the description; whatever it refers to can be read
 * @path: of the object file, for messages
 * @t: what is wrong
 *
 * Return: %STATUS_OK or %STATUS_BLOCKED.
 */
enum status find_mistakes(const struct kstate_description *desc, const char *path,
			  struct trouble *t);

#endif
