/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the resolver found, in sentences.
 */
#ifndef _EXPLAIN_H
#define _EXPLAIN_H

#include "engine.h"

/* What there is beside &enum kstate_change */
enum change {
	CHANGE_FITS = 0x40,	/* narrowed, but to what the writer keeps to */
	CHANGE_LESS_ROOM,
	CHANGE_NO_DEFAULT,	/* for elements that the writer lacks */
	CHANGE_GONE,		/* without a default */
	CHANGE_SOME_NAMES,	/* names have other values, and values have no name */
	CHANGE_STRING_KEYS,	/* where numbers were */
	CHANGE_NUMBER_KEYS,
	CHANGE_NO_STATE,
	CHANGE_ASIDE,		/* an optional state that is not known */
};

/**
 * change_of() - what kind of difference there is
 * @diff: the difference
 *
 * Return: &enum kstate_change or &enum change.
 */
u32 change_of(const struct kstate_difference *diff);

/* Who speaks: kstate check, or kstate lock of what a release wrote or reads */
enum voice { VOICE_CHECK, VOICE_FORWARD, VOICE_BACK, VOICES };

/* Where a sentence of kstate lock names releases; names have no such byte */
#define RELEASES	'\1'

/**
 * explain() - say it
 * @voice: who speaks
 * @change: see change_of()
 * @diff: the difference, or NULL if it is not about a field
 *
 * Return: the sentence, for free(), or NULL without memory.
 */
char *explain(enum voice voice, u32 change, const struct kstate_difference *diff);

/**
 * explain_advice() - say what to do
 * @voice: kstate lock
 * @change: see change_of()
 */
const char *explain_advice(enum voice voice, u32 change);

#endif /* _EXPLAIN_H */
