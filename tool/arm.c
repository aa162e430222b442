// SPDX-License-Identifier: GPL-2.0-only
/*
 * kstate arm and disarm: have the running kernel refuse a jump that would lose state.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "live.h"

static const struct argp_option arm_options[] = {
	{ "force", 'f', NULL, 0, "Jump all the same; say what is going to be lost", 0 },
	{ "policy", 'p', "FILE", 0, "Which states must come, and which may be lost", 0 },
	{ "all", 'a', NULL, 0, "Show what is converted and defaulted, too", 0 },
	{}
};

static error_t parse_arm(int key, char *arg, struct argp_state *state)
{
	struct arm *a = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->live;
		return 0;
	case 'f':
		a->force = true;
		return 0;
	case 'p':
		a->policy = arg;
		return 0;
	case 'a':
		a->live.all = true;
		return 0;
	case ARGP_KEY_ARGS:
		a->live.names = state->argv + state->next;
		a->live.nr = state->argc - state->next;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "needs the image of the next kernel");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/* Whoever has these as a child names the arguments */
static const struct argp armed_argp = {
	.options = arm_options, .parser = parse_arm, .children = target_options,
};

const struct argp_child arm_children[] = { { &armed_argp, 0, NULL, 0 }, {} };

static error_t parse_only(int key, char *arg, struct argp_state *state)
{
	if (key == ARGP_KEY_INIT)
		state->child_inputs[0] = state->input;
	return key == ARGP_KEY_INIT ? 0 : ARGP_ERR_UNKNOWN;
}

static const struct argp arm_argp = {
	.parser = parse_only, .children = arm_children,
	.args_doc = "IMAGE...",
	.doc = "Have the running kernel refuse a kexec as long as the kernel IMAGE would refuse anything of its state.\vIMAGE and its modules are named as for kstate check; what kexec has loaded should be the same. What would happen now is printed. The policy has lines 'must-come STATE' and 'may-be-lost STATE'.\nExit status: 0 taken, 1 something is lost or kept aside, 3 blocked, but armed.",
};

/* A sysfs file is a page, written at once: comments need not be in it, but lines are counted */
#define POLICY_MAX	4095

static void cut_comment(char *line)
{
	size_t end = strcspn(line, "\n");

	for (size_t i = 0; i < end; i++)
		if (line[i] == '#' && (!i || line[i - 1] == ' ' || line[i - 1] == '\t'))
			end = i;
	while (end && (line[end - 1] == ' ' || line[end - 1] == '\t'))
		end--;
	line[end] = 0;
}

static enum status read_policy(const char *path, bool force, char *policy, struct trouble *t)
{
	const char *before;

	FILE *file = fopen(path, "re");
	enum status status = STATUS_OK;
	size_t room = 0, used = 0;
	char *line = NULL;

	if (!file)
		return trouble(t, STATUS_INPUT, "%s: %s", path, strerror(errno));
	while (!status && getline(&line, &room, file) > 0) {
		cut_comment(line);
		before = force && *line ? "force " : "";
		if (strlen(before) + strlen(line) + 1 < POLICY_MAX - used)
			used += sprintf(policy + used, "%s%s\n", before, line);
		else
			status = trouble(t, STATUS_USAGE,
					 "%s: has more rules than the %d bytes that the kernel takes",
					 path, POLICY_MAX);
	}
	if (!status && ferror(file))
		status = trouble(t, STATUS_INPUT, "%s: %s", path, strerror(errno));
	free(line);
	fclose(file);
	return status;
}

static enum status set_policy(const struct arm *a, struct trouble *t)
{
	char policy[POLICY_MAX + 1] = "\n";
	struct trouble no = {};
	enum status status;
	unsigned int line;
	json_t *err;

	/* Without one, that of the last time must not go on */
	status = a->policy ? read_policy(a->policy, a->force, policy, t) : STATUS_OK;
	/* Nothing cannot be written */
	status = status ?: sysfs_write(a->live.sysfs, "policy", *policy ? policy : "\n", &no);
	if (!no.text[0])
		return status;
	err = sysfs_error(a->live.sysfs, "policy[");
	if (err && sscanf(json_member(err, "path"), "policy[%u]", &line) == 1)
		status = trouble(t, STATUS_USAGE, "%s: line %u: expected %s, found %s", a->policy,
				 line, json_member(err, "expected"), json_member(err, "found"));
	else
		status = trouble(t, status, "%s", no.text);
	json_decref(err);
	return status;
}

static void print_armed(const struct arm *a, const struct answer *answer)
{
	long long blocked = answer_blocked(answer);

	if (options.json)
		printf(",\n  \"armed\": \"%s\"\n}\n", a->force ? "force" : "on");
	else if (a->force && blocked)
		printf("armed, but forced: a kexec goes on, and %lld object%s will be refused\n",
		       blocked, blocked == 1 ? "" : "s");
	else if (a->force)
		puts("armed, but forced: a kexec goes on, whatever will be refused");
	else if (sysfs_rehearses(a->live.sysfs))
		puts("armed: this kernel cannot refuse a kexec: use kstate jump, without which nothing is carried");
	else if (blocked)
		printf("armed: a kexec is refused until nothing is blocked\n");
	else
		puts("armed: a kexec is refused if something is blocked by then");
}

enum status arm(const struct arm *a, int lock, struct answer *answer, struct trouble *t)
{
	enum status status = set_target(&a->live, lock, t);

	status = status ?: set_policy(a, t);
	if (status)
		return status;
	status = print_answer(&a->live, answer, t);
	return status ?: sysfs_write(a->live.sysfs, "armed", a->force ? "force" : "on", t);
}

/* Arming has failed somewhere on the way: say what is armed now */
void add_what_is_armed(const char *dir, struct trouble *t)
{
	struct trouble none = {};
	json_t *gate = sysfs_json(dir, "gate", &none);
	char *target = printable(json_member(gate, "target"));
	size_t len = strlen(t->text);

	if (!strcmp(json_member(gate, "armed"), "off"))
		snprintf(t->text + len, sizeof(t->text) - len, "; the gate is not armed");
	else if (gate && target)
		snprintf(t->text + len, sizeof(t->text) - len, "; the gate is armed for %s%s",
			 *target ? target : "no kernel",
			 !strcmp(json_member(gate, "armed"), "force") ? ", but forced" : "");
	free(target);
	json_decref(gate);
}

enum status command_arm(int argc, char **argv, struct trouble *t)
{
	struct answer answer = {};
	struct arm a = {};
	enum status status;
	int lock;

	if (argp_parse(&arm_argp, argc, argv, 0, NULL, &a))
		return STATUS_USAGE;
	status = sysfs_begin(a.live.sysfs, t);
	if (status)
		return status;
	lock = sysfs_lock(a.live.sysfs, t);
	if (lock < 0)
		return t->status;
	status = arm(&a, lock, &answer, t);
	if (!status)
		print_armed(&a, &answer);
	else if (options.json && answer.printed)
		puts("\n}");
	if (t->text[0])
		add_what_is_armed(a.live.sysfs, t);
	close(lock);
	return status ?: outcome_status(answer.worst);
}

enum status disarm(const char *dir, struct trouble *t)
{
	/* What is loaded for a jump that has been rehearsed would find nothing */
	if (sysfs_rehearses(dir))
		forget_jump(dir);
	return sysfs_write(dir, "armed", "off", t) ?: sysfs_write(dir, "policy", "\n", t) ?:
	       sysfs_write(dir, "target", "\n", t);
}

static const struct argp disarm_argp = {
	.parser = parse_only, .children = sysfs_options,
	.doc = "Let the running kernel kexec again without a check, and forget target and policy.",
};

enum status command_disarm(int argc, char **argv, struct trouble *t)
{
	struct live live = {};
	enum status status;
	int lock;

	if (argp_parse(&disarm_argp, argc, argv, 0, NULL, &live))
		return STATUS_USAGE;
	status = sysfs_begin(live.sysfs, t);
	if (status)
		return status;
	lock = sysfs_lock(live.sysfs, t);
	if (lock < 0)
		return t->status;
	status = disarm(live.sysfs, t);
	close(lock);
	if (!status && options.json)
		return print_json(json_pack("{s:s}", "armed", "off"), t);
	if (!status)
		puts("disarmed");
	return status;
}
