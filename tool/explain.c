// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the resolver found, in sentences.
 */
#include <stdio.h>
#include <stdlib.h>
#include <linux/array_size.h>
#include <linux/kernel.h>
#include "explain.h"

#define NEW_NAME	"add a field with a new name and leave this one"
#define KEEP_TYPE	"keep the type, or " NEW_NAME
#define KEEP_ROOM	"keep as much room, or let restoring allocate it: a pointer, and KSTATE_ALLOC"
#define KEEP_KEYS	"keep the keys, or give the state a new name"
#define KEEP_VERSION	"keep min_version_id, and give what means something else now a new name"
#define KEEP_DEFAULT	"keep the default, or " NEW_NAME
#define KEEP_ARM	"keep the arm, if only to refuse it after restoring"
#define KEEP_NAMES	"keep the values of names; new ones get new values"
#define NEW_ARM		"give the arm that changed a new name"
#define IF_GONE		"leave KSTATE_REMOVED() in its place; if it was renamed, KSTATE_ALIAS()"
#define IF_NEW		"give it KSTATE_DEFAULT() or KSTATE_ABSENT(); if it was renamed, KSTATE_ALIAS()"
#define IF_NEW_BACK	"give it KSTATE_DEFAULT() or KSTATE_IGNORABLE; if it was renamed, KSTATE_ALIAS()"
#define IF_GONE_BACK	"keep writing it, if only as a constant, as long as that release is supported"
#define SEE_RULES	"see Documentation/core-api/kstate/evolving.rst"
#define NO_WAY_BACK	": no state can go back to %s"
#define SOME_OF		": some of what %s wrote is refused"
#define USED_AGAIN	"has a name that %s has removed, and drops"

/**
 * struct words - how a difference is said
 * @text: by each voice; if NULL, as kstate check says it
 * @advice: what to do, of kstate lock; its words on the way back are only of what
 *	is refused whatever the value
 *
 * In @text stand for: %w, %r the types of the writer's and the reader's field, %W, %R
 * with their containers; %c, %C their elements; %k, %K their room; %d, %D their defaults;
 * %o the writer's name, %n the name of the difference, %a the writer's first arm; %l, %h,
 * %m limits and mask of the reader; %x the values that its type does not take; %e, %f
 * what was expected and found; %s the releases.
 */
static const struct words {
	const char *text[VOICES];
	const char *advice[VOICES];
} words[] = {
	[KSTATE_CHANGE_RENAMED] = { { "renamed from %o" } },
	[KSTATE_CHANGE_TYPE] = { { "changed from %w to %r" } },
	[CHANGE_FITS] = { { "narrowed from %w to %r: the range of the writer fits" } },
	[KSTATE_CHANGE_NARROWED] = {
		{ "narrowed from %w to %r: values %x are refused",
		  "narrowed from %w to %r: values %x written by %s are refused" },
		{ NULL, KEEP_TYPE } },
	[KSTATE_CHANGE_RANGE] = {
		{ "limited to %l to %h: other values are refused",
		  "limited to %l to %h: other values written by %s are refused" },
		{ NULL, "accept what that release wrote, and cope after restoring" } },
	[KSTATE_CHANGE_MASK] = {
		{ "limited to the bits %m: others are refused",
		  "limited to the bits %m: others written by %s are refused" },
		{ NULL, "accept what that release wrote, and cope after restoring" } },
	[KSTATE_CHANGE_EQUAL] = {
		{ "must now equal what the object holds",
		  "must now equal what the object holds" SOME_OF },
		{ NULL, "leave KSTATE_EQUAL to a new field" } },
	[KSTATE_CHANGE_ROOM] = {
		{ "has room for %K: more are refused",
		  "has room for %K: more written by %s are refused" },
		{ NULL, KEEP_ROOM } },
	[CHANGE_LESS_ROOM] = {
		{ "room shrank from %k to %K: more are refused",
		  "room shrank from %k to %K: more written by %s are refused" },
		{ NULL, KEEP_ROOM } },
	[KSTATE_CHANGE_TEXT] = {
		{ "must be text that ends with a NUL",
		  "must be text that ends with a NUL" SOME_OF },
		{ NULL, "keep KSTATE_VARRAY(), or " NEW_NAME } },
	[KSTATE_CHANGE_GREW] = { { "grew from %c to %C elements: the rest gets the default" } },
	[CHANGE_NO_DEFAULT] = {
		{ "expected %e, found %f",
		  "grew without a default: %s did not write all of it",
		  "shrank, but %s requires all of it: no state can go back" },
		{ NULL, "give it KSTATE_DEFAULT() for the new elements",
		  "keep its length, or " NEW_NAME } },
	[KSTATE_CHANGE_SHRANK] = {
		{ "shrank from %c to %C elements: refused unless the rest is the default",
		  "shrank from %c to %C elements: what %s wrote is refused unless the rest is "
		  "the default" },
		{ NULL, "keep the length, or " NEW_NAME } },
	[KSTATE_CHANGE_ARM_GONE] = {
		{ "has no arm %n any more: refused when it is in use",
		  "has no arm %n any more: what %s wrote is refused when it is in use" },
		{ NULL, KEEP_ARM } },
	[KSTATE_CHANGE_ARM_DATA] = {
		{ "expected %e, found %f",
		  "changed from %f to %e: what %s wrote is refused",
		  "changed from %e to %f" NO_WAY_BACK },
		{ NULL, NEW_ARM, NEW_ARM } },
	[KSTATE_CHANGE_REMOVED] = {
		{ "removed: lost unless it is the default", NULL, USED_AGAIN },
		{ NULL, NULL, NEW_NAME } },
	[KSTATE_CHANGE_REMOVED_REUSED] = {
		{ "expected %e, found %f",
		  "was %W when %s wrote it, which its KSTATE_REMOVED() does not say: that is refused",
		  USED_AGAIN },
		{ NULL, "say with KSTATE_WAS() what it was", NEW_NAME } },
	[KSTATE_CHANGE_IGNORED] = {
		{ "not known here, and may be ignored: lost unless it is the default" } },
	[KSTATE_CHANGE_UNKNOWN] = {
		{ "not known here: refused unless it is the default",
		  "not known here: what %s wrote is refused unless it is the default" },
		{ NULL, IF_GONE } },
	[CHANGE_GONE] = {
		{ "expected %e, found %f",
		  "is gone: what %s wrote is refused",
		  "is new and required: %s can never take it" },
		{ NULL, IF_GONE, IF_NEW_BACK } },
	[KSTATE_CHANGE_ABSENT] = { { "absent: gets its default" } },
	[KSTATE_CHANGE_ABSENT_HOOK] = { { "absent: a function decides" } },
	[KSTATE_CHANGE_FROM_LENGTH] = {
		{ "absent: gets the length or tag of %n",
		  "absent: gets the length or tag of %n, if it takes what %s wrote" },
		{ NULL, "accept what that release wrote, and cope after restoring" } },
	[KSTATE_CHANGE_REQUIRED] = {
		{ "expected %e, found %f",
		  "is required, but %s did not write it",
		  "is gone, but %s requires it: no state can go back" },
		{ NULL, IF_NEW, IF_GONE_BACK } },
	[KSTATE_CHANGE_CONVERT] = { { "changed from %W to %R: a function converts" } },
	[KSTATE_CHANGE_NO_WAY] = {
		{ "expected %e, found %f",
		  "changed from %f to %e: what %s wrote is refused",
		  "changed from %e to %f" NO_WAY_BACK },
		{ NULL, "take it over with KSTATE_CONVERT(), or " NEW_NAME, NEW_NAME } },
	[KSTATE_CHANGE_LENGTH] = {
		{ "has the length or tag of %n: another is refused",
		  "has the length or tag of %n: another that %s wrote is refused" },
		{ NULL, "give it one of its own, or put both into one struct" } },
	[KSTATE_CHANGE_VERSION] = {
		{ "expected %e, found %f",
		  "does not take the version of %s", "has a version that %s does not take" },
		{ NULL, KEEP_VERSION, KEEP_VERSION } },
	[KSTATE_CHANGE_DEFAULT] = {
		{ "default changed from %d to %D",
		  "default changed from %d to %D: what is left out means another value than "
		  "to %s" },
		{ NULL, KEEP_DEFAULT } },
	[KSTATE_CHANGE_FIRST_ARM] = {
		{ "default changed from arm %a to arm %n",
		  "default changed from arm %a to arm %n: what is left out is another one "
		  "than to %s" },
		{ NULL, "keep the first arm" } },
	[KSTATE_CHANGE_NAMES] = {
		{ "%n has another value: translated",
		  "%n has another value than in %s" },
		{ NULL, KEEP_NAMES } },
	[CHANGE_SOME_NAMES] = {
		{ "%n has another value: translated, but what has no name is refused",
		  "%n has another value than in %s" },
		{ NULL, KEEP_NAMES } },
	[KSTATE_CHANGE_NAME_GONE] = {
		{ "has no %n any more: refused when it is in use",
		  "has no %n any more: what %s wrote is refused when it is in use" },
		{ NULL, "keep the name, if only to refuse it after restoring" } },
	[CHANGE_STRING_KEYS] = {
		{ "numbers as keys became strings: nobody finds the records",
		  "has strings as keys now: nobody finds what %s wrote",
		  "has strings as keys now: %s does not find it" },
		{ NULL, KEEP_KEYS, KEEP_KEYS } },
	[CHANGE_NUMBER_KEYS] = {
		{ "strings as keys became numbers: nobody finds the records",
		  "has numbers as keys now: nobody finds what %s wrote",
		  "has numbers as keys now: %s does not find it" },
		{ NULL, KEEP_KEYS, KEEP_KEYS } },
	[CHANGE_NO_STATE] = {
		{ "a state that is not known there: nobody claims it, and it is lost",
		  "is gone: what %s wrote is lost" },
		{ NULL, "keep its description, or, once that release is supported no more, kstate lock --drop" } },
	[CHANGE_ASIDE] = {
		{ "a state that is not known there, and optional: kept aside and handed on" } },
};

u32 change_of(const struct kstate_difference *diff)
{
	switch (diff->what) {
	case KSTATE_CHANGE_NARROWED:
		return diff->depends == KSTATE_DEPENDS_VALUE ? diff->what : CHANGE_FITS;
	case KSTATE_CHANGE_NAMES:
		return diff->depends == KSTATE_DEPENDS_VALUE ? CHANGE_SOME_NAMES : diff->what;
	case KSTATE_CHANGE_ROOM:
		return diff->w->room == KSTATE_ANY_ROOM ? diff->what : CHANGE_LESS_ROOM;
	case KSTATE_CHANGE_GREW:
		return diff->verdict == KSTATE_REFUSED ? CHANGE_NO_DEFAULT : diff->what;
	case KSTATE_CHANGE_UNKNOWN:
		return diff->verdict == KSTATE_REFUSED ? CHANGE_GONE : diff->what;
	default:
		return diff->what;
	}
}

static void put_value(FILE *out, u64 val, bool is_signed)
{
	if (is_signed)
		fprintf(out, "%lld", (long long)val);
	else
		fprintf(out, "%llu", (unsigned long long)val);
}

/* The writer's values that the type of the reader does not take */
static void put_excess(FILE *out, const struct kstate_difference *diff)
{
	struct kstate_bound min, max, least, most;

	kstate_bounds(diff->w, true, &min, &max);
	kstate_bounds(diff->r, false, &least, &most);
	if (kstate_bound_compare(min, least) < 0) {
		fputs("below ", out);
		put_value(out, least.val, least.is_signed);
		fputs(" or ", out);
	}
	fputs("above ", out);
	put_value(out, most.val, most.is_signed);
}

/* Names come from files, which may be hostile */
static void put_text(FILE *out, const char *text)
{
	for (; *text; text++)
		fputc(*text < ' ' || *text > '~' ? '?' : *text, out);
}

static void put_field(FILE *out, const struct kstate_schema_field *f)
{
	char text[64];

	fputs(kstate_field_text(f, text, sizeof(text)), out);
}

static void put_word(FILE *out, char which, const struct kstate_difference *diff)
{
	const struct kstate_schema_field *w = diff ? diff->w : NULL, *r = diff ? diff->r : NULL;

	switch (which) {
	case 'w':
		fputs(kstate_type_name(w->type), out);
		break;
	case 'r':
		fputs(kstate_type_name(r->type), out);
		break;
	case 'W':
		put_field(out, w);
		break;
	case 'R':
		put_field(out, r);
		break;
	case 'c':
		put_value(out, w->count, false);
		break;
	case 'C':
		put_value(out, r->count, false);
		break;
	case 'k':
		put_value(out, w->room, false);
		break;
	case 'K':
		put_value(out, r->room, false);
		break;
	case 'd':
		put_value(out, w->dflt, kstate_is_signed(w->type));
		break;
	case 'D':
		put_value(out, r->dflt, kstate_is_signed(r->type));
		break;
	case 'l':
		put_value(out, r->min, kstate_is_signed(r->type));
		break;
	case 'h':
		put_value(out, r->max, kstate_is_signed(r->type));
		break;
	case 'm':
		fprintf(out, "%#llx", (unsigned long long)r->mask);
		break;
	case 'o':
		put_text(out, w->name);
		break;
	case 'a':
		put_text(out, w[1].name);
		break;
	case 'n':
		put_text(out, diff->name);
		break;
	case 'e':
		put_text(out, diff->expected);
		break;
	case 'f':
		put_text(out, diff->found);
		break;
	case 'x':
		put_excess(out, diff);
		break;
	case 's':
		fputc(RELEASES, out);
		break;
	}
}

static const struct words *words_of(u32 change)
{
	static const struct words none = {
		{ "differs", "differs from what %s has", "differs from what %s has" },
	};

	return change < ARRAY_SIZE(words) && words[change].text[VOICE_CHECK] ? &words[change] :
									       &none;
}

char *explain(enum voice voice, u32 change, const struct kstate_difference *diff)
{
	const struct words *w = words_of(change);
	const char *p = w->text[voice] ?: w->text[VOICE_CHECK];
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (; *p; p++) {
		if (*p == '%')
			put_word(out, *++p, diff);
		else
			fputc(*p, out);
	}
	if (!fclose(out))
		return text;
	free(text);
	return NULL;
}

const char *explain_advice(enum voice voice, u32 change)
{
	return words_of(change)->advice[voice] ?: SEE_RULES;
}
