/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The scenario predict: random states, edited at random in the next kernel. What the
 * live check says of each object, what the checks of streams and of catalogues say,
 * and what restoring then does, must be the same.
 *
 *   b, as reader: makes known what it describes; its catalogue goes along
 *   a, as writer: asks what will become of its objects; the answers go along
 *   b, as reader: restores, and compares
 */
#ifndef KSTATE_TESTS_VM_PREDICT_H
#define KSTATE_TESTS_VM_PREDICT_H

#include "command.h"

#define RESULTS		"/sys/kernel/debug/kstate_random/results"
#define ROUNDS		3
#define STATES		150
#define OBJECTS		4

struct prediction {
	char name[48];		/* as the tool and the kernel write it: random1,3["k2"] */
	char outcome[32];	/* a verdict, and of what is blocked why */
};

static struct prediction predictions[STATES * OBJECTS];

static char json[1 << 20];

static void load_random(const char *side, long seed)
{
	char parameters[100];

	snprintf(parameters, sizeof(parameters), "side=%s seed=%ld states=%d", side, seed, STATES);
	guest_ok(load("kstate_random", parameters));
}

/* Lines "NAME OUTCOME", one for each object */
static void read_predictions(const char *path)
{
	static char lines[STATES * OBJECTS * sizeof(*predictions)];
	char *rest = lines, *line;
	int nr = 0;

	guest_ok(read_file(path, lines, sizeof(lines)));
	while ((line = strsep(&rest, "\n")) && *line) {
		guest_check(nr < STATES * OBJECTS);
		guest_check(sscanf(line, "%47s %31[^\n]", predictions[nr].name,
				   predictions[nr].outcome) == 2);
		nr++;
	}
	guest_check(nr == STATES * OBJECTS);
}

static void write_predictions(const char *path)
{
	FILE *out = fopen(path, "we");

	guest_check(out);
	for (int i = 0; i < STATES * OBJECTS; i++)
		fprintf(out, "%s %s\n", predictions[i].name, predictions[i].outcome);
	guest_check(!fclose(out));
}

/* The string that a member of a JSON object has; the text goes up to @end */
static bool member(const char *object, const char *end, const char *name, char *value)
{
	char quoted[32];
	const char *p;

	snprintf(quoted, sizeof(quoted), "\"%s\"", name);
	p = strstr(object, quoted);
	if (!p || p >= end)
		return false;
	return sscanf(p + strlen(quoted), "%*[: ]\"%31[^\"]", value) == 1;
}

/* The innermost object of JSON that has the member @name with this value */
static const char *find_object(const char *in, const char *name, const char *value,
			       const char **end)
{
	char member[128], *m = member;
	const char *p, *found;

	m += sprintf(m, "\"%s\":", name);
	for (found = strstr(in, member); found; found = strstr(found + 1, member)) {
		const char *v = found + strlen(member), *w = value;

		v += *v == ' ';
		v += *v == '"';
		for (; *w && *v; v++, w++)
			if (*v != *w && !(*v == '\\' && *++v == *w))
				break;
		if (*w || *v != '"')
			continue;
		for (p = found; *p != '{'; p--)
			guest_check(p > in);
		*end = strstr(found + 1, member);
		if (!*end)
			*end = found + strlen(found);
		return p;
	}
	return NULL;
}

/* What a check said of an object; what is exact is not always mentioned */
static void outcome_of(const char *name, char *outcome)
{
	const char *end, *object = find_object(json, "object", name, &end);
	char verdict[32] = "exact", reason[32] = "";

	if (object) {
		guest_check(member(object, end, "verdict", verdict));
		member(object, end, "reason", reason);
	}
	if (!strcmp(verdict, "blocked"))
		snprintf(outcome, 32, "blocked %.20s", reason);
	else
		snprintf(outcome, 32, "%.20s", verdict);
}

static void check_json(int at_least, const char *what)
{
	if (!strstr(output, "\"worst\"") || strstr(output, "kstate: "))
		guest_fail("%s: %.700s", what, output);
	memcpy(json, output, sizeof(json));
	guest_check((int)strlen(json) > at_least);
}

/* Half of the objects have been saved already: the check of the stream must say the same */
static void compare_with_stream(void)
{
	char outcome[32];

	copy_file(KSTATE_SYS "outgoing", "/tmp/outgoing");
	kstate("check", "--json", "--all", "--forward", "/tmp/outgoing", "/keep");
	check_json(10000, "check of the stream");
	for (int i = 1; i < STATES * OBJECTS; i += 2) {
		const struct prediction *p = &predictions[i];

		outcome_of(p->name, outcome);
		if (strcmp(outcome, p->outcome))
			guest_fail("%s: live \"%s\", offline \"%s\"", p->name, p->outcome, outcome);
	}
}

/* Catalogues know no values: they say what holds for all of them, or that it depends */
static void compare_with_catalogue(void)
{
	int depends = 0;

	copy_file(KSTATE_SYS "catalog", "/tmp/catalog");
	kstate("check", "--json", "--all", "--forward", "/tmp/catalog", "/keep");
	check_json(10000, "check of the catalogue");
	for (int i = 0; i < STATES * OBJECTS; i++) {
		const struct prediction *p = &predictions[i];
		char name[48], worst[32];
		const char *state, *end;
		bool blocked = !strncmp(p->outcome, "blocked", 7), same;
		bool whole = blocked || !strcmp(p->outcome, "aside");

		snprintf(name, sizeof(name), "%.47s", p->name);
		*strchr(name, '[') = 0;
		state = find_object(json, "state", name, &end);
		guest_check(state && member(state, end, "worst", worst));
		depends += !strcmp(worst, "value");
		/* What may be lost is not lost where it is the default */
		same = !strcmp(worst, "value") || (!strcmp(worst, "lossy") && !whole) ||
		       (blocked ? !strcmp(worst, "blocked") : !strcmp(worst, p->outcome));
		if (!same)
			guest_fail("%s: live \"%s\", catalogues \"%s\"", p->name, p->outcome, worst);
	}
	say("for %d of the objects catalogues say that it depends on the value", depends);
}

static void foretell(void)
{
	read_predictions(RESULTS);
	kstate("check", "--json", "--live", "/keep");
	check_json(5000, "live check");
	for (int i = 0; i < STATES * OBJECTS; i++)
		outcome_of(predictions[i].name, predictions[i].outcome);
	compare_with_stream();
	compare_with_catalogue();
	write_predictions(GUEST_KEEP);
}

/* What this kernel did not know is kept aside, or was freed */
static void fate_of(const char *name, char *outcome)
{
	char line[100];
	const char *p;

	snprintf(line, sizeof(line), "in kernel %.47s ", name);
	p = strstr(output, line);
	if (!p)
		guest_fail("there is no record of %s", name);
	p += strlen(line);
	strcpy(outcome, !strncmp(p, "unclaimed optional", 18) ? "aside" :
	       !strncmp(p, "freed", 5) ? "blocked blocked" : "neither kept nor freed");
}

static void compare_with_restoring(void)
{
	static const char *const kinds[] = { "exact", "converted", "defaulted", "lossy", "aside",
					     "blocked" };
	static struct prediction foretold[STATES * OBJECTS];
	int counts[ARRAY_LENGTH(kinds)] = {}, wrong = 0;

	read_predictions("/keep");
	memcpy(foretold, predictions, sizeof(foretold));
	read_predictions(RESULTS);
	guest_check(!number_in("/sys/module/kstate_random/parameters/wrong"));
	finish();
	guest_ok(read_file(KSTATE_SYS "records", output, sizeof(output)));
	for (int i = 0; i < STATES * OBJECTS; i++) {
		struct prediction *p = &predictions[i];

		if (!strcmp(p->outcome, "unknown"))
			fate_of(foretold[i].name, p->outcome);
		/* Who asks with the other kind of key finds no record */
		if (!strcmp(p->outcome, "blocked no-record"))
			strcpy(p->outcome, "blocked blocked");
		for (size_t k = 0; k < ARRAY_LENGTH(kinds); k++)
			counts[k] += !strncmp(p->outcome, kinds[k], strlen(kinds[k]));
		if (!strcmp(p->outcome, foretold[i].outcome))
			continue;
		wrong++;
		say("%s: foretold \"%s\", restoring: \"%s\"", foretold[i].name, foretold[i].outcome,
		    p->outcome);
	}
	say("predict: %d objects of %d states, %ld of them edited: %d exact, %d converted, %d defaulted, %d lossy, %d aside, %d blocked; %d foretold wrongly",
	    STATES * OBJECTS, STATES, number_in("/sys/module/kstate_random/parameters/edited"),
	    counts[0], counts[1], counts[2], counts[3], counts[4], counts[5], wrong);
	guest_check(!wrong);
	for (size_t k = 0; k < ARRAY_LENGTH(kinds); k++)
		guest_check(counts[k]);
}

static void predict(long boot)
{
	long seed = cmdline_number("seed", 1) + boot / 2;

	if (boot % 2) {
		load_random("writer", seed);
		foretell();
		leave_for("b", "seed=%ld", cmdline_number("seed", 1));
	}
	if (boot) {
		load_random("reader", seed - 1);
		compare_with_restoring();
		guest_ok(rmmod("kstate_random"));
	}
	if (boot == 2 * ROUNDS)
		guest_pass();
	load_random("reader", seed);
	copy_file(KSTATE_SYS "catalog", GUEST_KEEP);
	leave_for("a", "seed=%ld", cmdline_number("seed", 1));
}

#endif
