// SPDX-License-Identifier: GPL-2.0-only
/*
 * kstate status: what the running kernel has saved, restored and refused.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include "compare.h"
#include "live.h"

static error_t parse_status(int key, char *arg, struct argp_state *state)
{
	if (key == ARGP_KEY_INIT)
		state->child_inputs[0] = state->input;
	return key == ARGP_KEY_INIT ? 0 : ARGP_ERR_UNKNOWN;
}

static const struct argp status_argp = {
	.parser = parse_status, .children = sysfs_options,
	.doc = "Tell what the running kernel got from the one before and has for the next one, what it refused last, and how the gate before a kexec stands.",
};

/* A line of the file streams: the name of a stream may hold anything, what follows does not */
static json_t *json_stream(const char *line)
{
	const char *name = strchr(line, ' '), *rest = NULL, *p = line;
	unsigned long long id, records, rest_nr, bytes, ns;
	char kind[16];

	while ((p = strstr(p + 1, " id=")))
		rest = p;
	if (!name || !rest || rest <= name ||
	    sscanf(rest, " id=%llu records=%llu %15[a-z]=%llu bytes=%llu ns=%llu", &id, &records,
		   kind, &rest_nr, &bytes, &ns) != 6)
		return NULL;
	return json_pack("{s:s,s:o,s:I,s:I,s:I,s:I,s:I}",
			 "direction", strncmp(line, "in ", 3) ? "outgoing" : "incoming",
			 "name", json_stringn_nocheck(name + 1, rest - name - 1),
			 "id", (json_int_t)id, "records", (json_int_t)records,
			 kind, (json_int_t)rest_nr, "bytes", (json_int_t)bytes,
			 "ns", (json_int_t)ns);
}

static json_t *json_streams(const char *dir, struct trouble *t)
{
	char *text = sysfs_read(dir, "streams", t), *rest = text, *line;
	json_t *list = text ? json_array() : NULL, *stream;

	while (list && (line = strsep(&rest, "\n"))) {
		if (!*line)
			continue;
		stream = json_stream(line);
		if (!stream) {
			trouble(t, STATUS_KERNEL, "%s/streams: has a line that makes no sense: %s",
				dir, line);
			json_decref(list);
			list = NULL;
			break;
		}
		json_array_append_new(list, stream);
	}
	free(text);
	return list;
}

static json_t *json_damage(const char *dir, struct trouble *t)
{
	char *text = sysfs_read(dir, "damage", t);
	json_t *value = NULL;

	if (text) {
		text[strcspn(text, "\n")] = 0;
		value = *text ? json_printable(text) : json_null();
	}
	free(text);
	return value;
}

static enum outcome worst_of(const json_t *gate)
{
	enum outcome worst = EXACT;

	for (enum outcome o = EXACT; o < OUTCOMES; o++)
		if (json_integer_value(json_object_get(gate, outcome_names[o])))
			worst = o;
	/* If the policy allows all that is blocked, no jump waits for it */
	if (worst == BLOCKED && json_integer_value(json_object_get(gate, "blocked")) ==
				json_integer_value(json_object_get(gate, "allowed")))
		worst = LOSSY;
	return worst;
}

/* Nothing has been found yet if nothing has taken time */
static bool is_checked(const json_t *gate)
{
	return json_integer_value(json_object_get(gate, "ns"));
}

static json_t *json_gate(const char *dir, struct trouble *t)
{
	json_t *gate = sysfs_json(dir, "gate", t);

	if (gate)
		json_object_set_new(gate, "worst", is_checked(gate) ?
				    json_string(outcome_names[worst_of(gate)]) : json_null());
	return gate;
}

/* Text */

static void print_streams(const json_t *streams)
{
	const json_t *stream;
	size_t i;

	json_array_foreach(streams, i, stream) {
		char *name = printable(json_string_value(json_object_get(stream, "name")));
		bool incoming = json_object_get(stream, "unclaimed");

		printf("%-8s  %s: %lld record%s", incoming ? "incoming" : "outgoing", name ?: "",
		       json_number(stream, "records"), json_number(stream, "records") == 1 ? "" : "s");
		free(name);
		if (incoming && json_number(stream, "unclaimed"))
			printf(", %s%lld unclaimed%s", colour(YELLOW), json_number(stream, "unclaimed"),
			       colour(PLAIN));
		printf(", %lld bytes, %s in ", json_number(stream, "bytes"),
		       incoming ? "restored" : "saved");
		print_duration(json_number(stream, "ns"));
		putchar('\n');
	}
	if (!json_array_size(streams))
		puts("streams   none");
}

static void print_error(const json_t *err)
{
	time_t when = json_number(err, "time");
	char date[32], *text;

	if (json_is_null(err)) {
		puts("error     none");
		return;
	}
	text = error_text(err);
	printf("error     %s", text ?: "");
	free(text);
	if (when && strftime(date, sizeof(date), "%F %T", localtime(&when)))
		printf("; %s, %s", json_string_value(json_object_get(err, "doing")) ?: "", date);
	putchar('\n');
}

static void print_gate(const json_t *gate)
{
	const char *armed = json_string_value(json_object_get(gate, "armed")) ?: "";
	char *target = printable(json_string_value(json_object_get(gate, "target")) ?: "");
	enum outcome worst = worst_of(gate);

	printf("gate      %s", !strcmp(armed, "on") ? "armed" :
	       !strcmp(armed, "force") ? "armed, but forced" : "not armed");
	if (target && *target)
		printf(", for %s", target);
	free(target);
	if (!is_checked(gate)) {
		puts("; nothing checked yet");
		return;
	}
	printf("; worst of the last check: %s%s%s\ncheck    ", colour(outcome_colour(worst)),
	       outcome_names[worst], colour(PLAIN));
	for (int o = EXACT; o < OUTCOMES; o++)
		if (json_number(gate, outcome_names[o]))
			printf(" %lld %s,", json_number(gate, outcome_names[o]), outcome_names[o]);
	if (json_number(gate, "allowed"))
		printf(" %lld of them may be lost,", json_number(gate, "allowed"));
	fputs(" in ", stdout);
	print_duration(json_number(gate, "ns"));
	putchar('\n');
}

/* Everything at one time; what is missing is trouble */
struct picture {
	json_t *streams;
	json_t *damage;
	json_t *err;
	json_t *gate;
};

static enum status look(const char *dir, struct picture *p, struct trouble *t)
{
	enum status status = sysfs_begin(dir, t);

	if (status)
		return status;
	p->streams = json_streams(dir, t);
	p->damage = json_damage(dir, t);
	p->err = sysfs_json(dir, "last_error.json", t);
	p->gate = json_gate(dir, t);
	return t->status;
}

/* Where the machine stands */

enum situation {
	IDLE, ARMED, BLOCKED_NOW, FORCED, ARRIVED, REFUSED, RESTORED, DAMAGED_STATE, UNREADABLE,
};

/* Each has a name, for programs, and a command that is next; %s is where the files are */
static const struct {
	const char *name;
	const char *next;
} situations[] = {
	[IDLE]		= { "idle", "kstate arm IMAGE" },
	[ARMED]		= { "armed", "kexec -e" },
	[BLOCKED_NOW]	= { "blocked", "kstate check --live" },
	[FORCED]	= { "forced", "kexec -e, or kstate disarm" },
	[ARRIVED]	= { "arrived", "kstate status, when drivers and programs have asked for theirs" },
	[REFUSED]	= { "refused", "kexec back, without finishing" },
	[RESTORED]	= { "restored", "echo 1 > %s/finish" },
	[DAMAGED_STATE]	= { "damaged", "kstate dump incoming" },
	[UNREADABLE]	= { "unreadable", "echo 1 > %s/finish, to go on without it" },
};

struct stand {
	enum situation situation;
	const char *who;
	long long nr;
};

/* Records that came and were not restored */
static long long unclaimed(const json_t *streams)
{
	const json_t *stream;
	long long nr = 0;
	size_t i;

	json_array_foreach(streams, i, stream)
		nr += json_number(stream, "unclaimed");
	return nr;
}

static bool came(const json_t *streams)
{
	const json_t *stream;
	size_t i;

	json_array_foreach(streams, i, stream)
		if (json_object_get(stream, "unclaimed"))
			return true;
	return false;
}

/* Whether kstate_finish() has anything to free; others finish their streams themselves */
static bool is_unfinished(const json_t *streams)
{
	const json_t *stream;
	size_t i;

	json_array_foreach(streams, i, stream)
		if (json_object_get(stream, "unclaimed") && json_number(stream, "records") &&
		    !strcmp(json_string_value(json_object_get(stream, "name")), KSTATE_STREAM))
			return true;
	return false;
}

static struct stand stand_of(const struct picture *p)
{
	const char *armed = json_string_value(json_object_get(p->gate, "armed")) ?: "off";
	const char *doing = json_string_value(json_object_get(p->err, "doing")) ?: "";
	long long blocked = json_number(p->gate, "blocked") - json_number(p->gate, "allowed");
	struct stand s = {
		.who = json_string_value(json_object_get(p->gate, "target")) ?: "",
		.nr = blocked > 0 ? blocked : 0,
	};

	if (!json_is_null(p->damage)) {
		s.situation = came(p->streams) ? DAMAGED_STATE : UNREADABLE;
	} else if (!strcmp(armed, "force")) {
		s.situation = FORCED;
	} else if (!strcmp(armed, "on")) {
		s.situation = s.nr ? BLOCKED_NOW : ARMED;
	} else if (unclaimed(p->streams) > 0) {
		s.nr = unclaimed(p->streams);
		s.who = json_string_value(json_object_get(p->err, "writer")) ?: "";
		s.situation = json_number(p->err, "code") && *s.who &&
			      (!strcmp(doing, "restore") || !strcmp(doing, "retrieve")) ? REFUSED :
											 ARRIVED;
	} else if (is_unfinished(p->streams)) {
		s.situation = RESTORED;
	}
	return s;
}

/* The sentence about it, for free(), or NULL */
static char *stand_text(const struct stand *s)
{
	char *who = printable(s->who), *text = NULL;
	int ret = -1;

	switch (who ? s->situation : -1) {
	case IDLE:
		ret = asprintf(&text, "no jump is prepared");
		break;
	case ARMED:
		ret = asprintf(&text, "armed for %s, nothing is blocked", who);
		break;
	case BLOCKED_NOW:
		ret = asprintf(&text, "armed for %s, a kexec is refused: %lld blocked", who, s->nr);
		break;
	case FORCED:
		ret = asprintf(&text, "armed for %s, but forced: %lld blocked, which a kexec loses",
			       who, s->nr);
		break;
	case ARRIVED:
		ret = asprintf(&text, "%lld record%s of the last kernel %s not restored yet",
			       s->nr, s->nr == 1 ? "" : "s", s->nr == 1 ? "is" : "are");
		break;
	case REFUSED:
		ret = asprintf(&text, "state of %s was refused, %lld record%s not restored", who,
			       s->nr, s->nr == 1 ? " is" : "s are");
		break;
	case RESTORED:
		ret = asprintf(&text, "all that the last kernel wrote is restored");
		break;
	case DAMAGED_STATE:
		ret = asprintf(&text, "part of what the last kernel wrote is damaged");
		break;
	case UNREADABLE:
		ret = asprintf(&text,
			       "what the last kernel wrote cannot be read, and nothing is restored or registered");
		break;
	}
	free(who);
	return ret < 0 ? NULL : text;
}

/* The command that is next, in a buffer of 100 bytes */
static const char *stand_next(const struct stand *s, char *next)
{
	snprintf(next, 100, situations[s->situation].next, kernel_directory());
	return next;
}

static json_t *json_stand(const struct picture *p)
{
	struct stand s = stand_of(p);
	char next[100];
	char *text = stand_text(&s);
	json_t *value = json_pack("{s:s, s:s, s:s}", "is", situations[s.situation].name,
				  "text", text ?: "", "next", stand_next(&s, next));

	free(text);
	return value;
}

static void print_stand(const struct picture *p)
{
	struct stand s = stand_of(p);
	char next[100];
	char *text = stand_text(&s);

	printf("now       %s%s%s; next: %s\n", colour(BOLD), text ?: "", colour(PLAIN),
	       stand_next(&s, next));
	free(text);
}

static void print_picture(const char *release, const struct picture *p)
{
	print_stand(p);
	printf("kernel    %s\n", release);
	print_streams(p->streams);
	if (!json_is_null(p->damage))
		printf("damage    %s%s%s\n", colour(RED), json_string_value(p->damage),
		       colour(PLAIN));
	print_error(p->err);
	print_gate(p->gate);
}

enum status command_status(int argc, char **argv, struct trouble *t)
{
	struct utsname uts = {};
	struct picture p = {};
	struct live live = {};
	enum status status;

	if (argp_parse(&status_argp, argc, argv, 0, NULL, &live))
		return STATUS_USAGE;
	uname(&uts);
	status = look(live.sysfs, &p, t);
	if (!status && options.json)
		status = print_json(json_pack("{s:o,s:s,s:O,s:O,s:O,s:O}", "situation",
					      json_stand(&p), "kernel", uts.release,
					      "streams", p.streams, "damage", p.damage,
					      "last_error", p.err, "gate", p.gate), t);
	else if (!status)
		print_picture(uts.release, &p);
	json_decref(p.streams);
	json_decref(p.damage);
	json_decref(p.err);
	json_decref(p.gate);
	return status;
}
