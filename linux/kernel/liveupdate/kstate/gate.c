// SPDX-License-Identifier: GPL-2.0-only
/*
 * The gate: live state against the kernel that is to be jumped to.
 */

/**
 * DOC: the gate
 *
 * Userspace hands over the catalogue of the kernel that it is about to load, the
 * target. From then on it can ask, as often as it likes, what the target would
 * do with each object as it is now; and it can arm the gate: a kexec is then
 * refused as long as the target would refuse anything, judged by what has really
 * been saved for that kexec. Nothing has been given up by then: the machine runs
 * on as if kexec had not been called.
 *
 * Which states matter is userspace's business: the policy says which of them may
 * be lost, and which must come, also if they are optional.
 *
 * The target's judgement is worth nothing if another kernel is jumped to. An armed
 * gate compares what kexec has loaded with the image that the target was read
 * from, by a checksum of the file, or if userspace gave none, by the release. What
 * kexec_load(2) loaded, and an image without a release, cannot be compared, and
 * is refused as another one would be.
 */

#define pr_fmt(fmt) "kstate: " fmt

#include <linux/elf.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/sched/clock.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "gate.h"

/* How much is saved before it is checked and the copies are freed */
#define BATCH		1024
#define BATCH_BYTES	(1024 * 1024)

struct rule {
	struct list_head list;
	bool must_come;
	bool force;		/* although no kernel has the state */
	u32 line;
	char name[KSTATE_MAX_NAME + 1];
};

/* Protects what follows; taken after all other locks but those of sets of its own */
static DEFINE_MUTEX(gate_lock);
static struct kstate_set *target;
static u32 target_crc;		/* of the image that the target was read from */
static bool target_crc_known;
static LIST_HEAD(policy);
static struct kstate_gate_status gate;

static void gate_free_rules(struct list_head *rules)
{
	struct rule *rule, *next;

	list_for_each_entry_safe(rule, next, rules, list)
		kfree(rule);
	INIT_LIST_HEAD(rules);
}

/* Errors of userspace; the error that the kernel refused last is kept elsewhere */
static int gate_told(const struct kstate_error *err, const char *doing)
{
	if (err->code)
		kstate_error_log(err, doing);
	guard(mutex)(&gate_lock);
	gate.err = *err;
	return err->code;
}

/* The catalogue, or NULL and an error */
static struct kstate_set *gate_open_target(const void *blob, size_t size,
					   const struct kstate_where *where)
{
	struct kstate_set *set = kstate_memory_open(blob, size, where->err);

	if (IS_ERR(set))
		return NULL;
	if (set->damage.code)
		*where->err = set->damage;
	else if (list_empty(&set->states))
		kstate_fail(where, NULL, KSTATE_FOREIGN, -EPROTONOSUPPORT, "a catalogue\nnone");
	else if (set->arch != ELF_ARCH || set->page_size != PAGE_SIZE)
		kstate_fail(where, NULL, KSTATE_FOREIGN, -EPROTONOSUPPORT,
			    KSTATE_MACHINE "\n" KSTATE_MACHINE, ELF_ARCH, (u32)PAGE_SIZE,
			    set->arch, set->page_size);
	if (!where->err->code)
		return set;
	kstate_set_destroy(set);
	return NULL;
}

static int gate_set_target(struct kstate_set *set, const struct kstate_where *where)
{
	guard(mutex)(&gate_lock);
	if (!set && gate.armed != KSTATE_ARMED_OFF)
		return kstate_fail(where, NULL, KSTATE_BAD_CALL, -EBUSY,
				   "a gate that is not armed\none that is");
	kstate_set_destroy(target);
	target = set;
	target_crc_known = false;
	gate.tally = (struct kstate_tally){};
	return 0;
}

/**
 * kstate_gate_set_target() - name the kernel that is to be jumped to
 * @blob: its catalogue, or NULL for none; it is copied
 * @size: of @blob
 * @err: what is wrong with it
 *
 * Context: may sleep.
 * Return: 0, or a negative error code: then the target is what it was. -EBUSY if
 * the gate is armed and @blob is NULL.
 */
int kstate_gate_set_target(const void *blob, size_t size, struct kstate_error *err)
{
	struct kstate_where where = { .state = "target", .err = err };
	struct kstate_set *set = blob ? gate_open_target(blob, size, &where) : NULL;

	if (set || !blob)
		gate_set_target(set, &where);
	return gate_told(err, "target");
}

/**
 * kstate_gate_set_image() - say which image the target is
 * @crc: CRC-32C of the file that is handed to kexec
 *
 * Without it, the release of the target decides which images it stands for.
 *
 * Context: may sleep.
 * Return: 0, or -ENODATA if there is no target.
 */
int kstate_gate_set_image(u32 crc)
{
	guard(mutex)(&gate_lock);
	if (!target)
		return -ENODATA;
	target_crc = crc;
	target_crc_known = true;
	return 0;
}

static int gate_add_rule(struct list_head *rules, char *line, const struct kstate_where *where)
{
	bool force = str_has_prefix(line, "force ");
	char *name = force ? skip_spaces(line + strlen("force ")) : line;
	const char *what = strsep(&name, " \t");
	struct rule *rule;

	name = name ? strim(name) : NULL;
	if (!name || !*name || strlen(name) > KSTATE_MAX_NAME ||
	    (strcmp(what, "must-come") && strcmp(what, "may-be-lost")))
		return kstate_fail(where, NULL, KSTATE_BAD_CALL, -EINVAL,
				   "must-come or may-be-lost, and the name of a state\n%s", what);
	rule = kzalloc_obj(*rule);
	if (!rule)
		return kstate_fail(where, NULL, KSTATE_NO_MEMORY, -ENOMEM, "memory\nnone");
	rule->must_come = !strcmp(what, "must-come");
	rule->force = force;
	rule->line = where->key.id;
	strscpy(rule->name, name, sizeof(rule->name));
	list_add_tail(&rule->list, rules);
	return 0;
}

static int gate_parse_rules(struct list_head *rules, char *text, struct kstate_where *where)
{
	char *line;
	int ret = 0;

	while (!ret && (line = strsep(&text, "\n"))) {
		where->key.id++;
		line = strim(line);
		if (*line && *line != '#')
			ret = gate_add_rule(rules, line, where);
	}
	return ret;
}

/* A state that neither kernel has is taken for a typing error, unless forced */
static int gate_check_rules(const struct list_head *rules, struct kstate_where *where)
{
	struct kstate_set *here = kstate_catalog_create(where->err);
	const struct rule *rule;
	int ret = 0;

	if (IS_ERR(here))
		return PTR_ERR(here);
	guard(mutex)(&gate_lock);
	list_for_each_entry(rule, rules, list) {
		if (rule->force || kstate_check_find(here, rule->name, NULL) ||
		    (target && kstate_check_find(target, rule->name, NULL)))
			continue;
		where->key.id = rule->line;
		ret = kstate_fail(where, NULL, KSTATE_BAD_CALL, -EINVAL,
				  "a state that this kernel or the target has\n%s", rule->name);
		break;
	}
	kstate_set_destroy(here);
	return ret;
}

/**
 * kstate_gate_set_policy() - say which states matter
 * @text: lines "must-come NAME" and "may-be-lost NAME"; it is changed. Empty
 *	lines and those that begin with # are skipped. The last line for a state
 *	counts. A state that neither this kernel nor the target has is refused,
 *	unless the line begins with "force "
 * @err: what is wrong with it
 *
 * Context: may sleep.
 * Return: 0, or a negative error code: then the policy is what it was.
 */
int kstate_gate_set_policy(char *text, struct kstate_error *err)
{
	struct kstate_where where = { .state = "policy", .has_key = true, .err = err };
	LIST_HEAD(rules);
	int ret;

	ret = gate_parse_rules(&rules, text, &where);
	if (!ret && !list_empty(&rules))
		ret = gate_check_rules(&rules, &where);
	if (ret) {
		gate_free_rules(&rules);
	} else {
		guard(mutex)(&gate_lock);
		gate_free_rules(&policy);
		list_splice(&rules, &policy);
	}
	return gate_told(err, "policy");
}

/**
 * kstate_gate_arm() - say what a kexec has to wait for
 * @to: see &enum kstate_armed
 *
 * The error that refused the last kexec is forgotten.
 *
 * Context: may sleep.
 * Return: 0, or -ENODATA if there is no target.
 */
int kstate_gate_arm(enum kstate_armed to)
{
	guard(mutex)(&gate_lock);
	if (to != KSTATE_ARMED_OFF && !target)
		return -ENODATA;
	gate.armed = to;
	gate.err.code = 0;
	kstate_report_error(kstate_outgoing(), &(struct kstate_error){}, "prepare");
	return 0;
}

/**
 * kstate_gate_get_status() - how the gate stands
 * @status: set to that
 *
 * Context: may sleep.
 */
void kstate_gate_get_status(struct kstate_gate_status *status)
{
	guard(mutex)(&gate_lock);
	*status = gate;
	strscpy(status->target, target ? target->writer : "");
}

/* A check on its way */
struct judge {
	struct kstate_tally tally;
	struct kstate_error first;
	kstate_finding_fn report;
	void *arg;
};

static const struct rule *gate_find_rule(const char *name)
{
	const struct rule *rule, *found = NULL;

	list_for_each_entry(rule, &policy, list)
		if (!strcmp(rule->name, name))
			found = rule;
	return found;
}

/* The policy makes a verdict of what the target would do */
static int gate_judge(struct judge *j, const char *state, const struct kstate_finding *seen)
{
	const struct rule *rule = gate_find_rule(state);
	struct kstate_finding finding = *seen;

	/* An error, because not a field is lost but all of the record */
	if (rule && rule->must_come && finding.verdict == KSTATE_LOSSY && finding.err)
		finding.verdict = KSTATE_REFUSED;
	finding.allowed = rule && !rule->must_come && finding.verdict == KSTATE_REFUSED;
	j->tally.nr[finding.verdict]++;
	j->tally.allowed += finding.allowed;
	if (finding.verdict == KSTATE_REFUSED && !finding.allowed && !j->first.code && finding.err)
		j->first = *finding.err;
	return j->report ? j->report(&finding, j->arg) : 0;
}

static const char *gate_state_of(const struct kstate_finding *finding)
{
	const struct kstate_schema *schema =
		kstate_known(finding->stream->set, le32_to_cpu(finding->record->schema))->schema;

	return schema ? schema->name : "";
}

static int gate_judge_record(const struct kstate_finding *finding, void *arg)
{
	return gate_judge(arg, gate_state_of(finding), finding);
}

/* Objects that have been saved to be looked at, and what becomes of them */
struct survey {
	struct judge judge;
	struct kstate_live live;
};

static int gate_survey_flush(struct survey *s)
{
	int ret = kstate_check_set(s->live.set, target, gate_judge_record, &s->judge);

	s->judge.tally.save_ns += s->live.stream->ns;
	kstate_live_forget(&s->live);
	return ret;
}

static int gate_survey_object(struct kstate_description *desc, const void *obj,
			      struct kstate_key key, const struct kstate_error *refused, void *arg)
{
	struct survey *s = arg;
	struct kstate_error err;
	struct kstate_finding finding = {
		.stream = s->live.stream, .verdict = KSTATE_REFUSED, .err = &err, .nr_err = 1,
	};
	int ret = kstate_live_save(&s->live, desc, obj, key, refused, &err);

	if (ret)
		return ret;
	/* An object that cannot be saved now could not be saved at the jump either */
	if (err.code)
		return gate_judge(&s->judge, desc->name, &finding);
	if (s->live.stream->index.nr < BATCH && s->live.stream->bytes < BATCH_BYTES)
		return 0;
	return gate_survey_flush(s);
}

/* Records that are handed on; damaged ones, and those saved anew, are left behind */
static int gate_judge_unclaimed(const struct kstate_finding *finding, void *arg)
{
	const struct kstate_record *record = finding->record;
	int ret;

	if (finding->err && finding->err->reason == KSTATE_DAMAGED)
		return 0;
	ret = kstate_live_is_saved(finding->stream->name, gate_state_of(finding),
				   le64_to_cpu(record->key), (const char *)(record + 1),
				   le16_to_cpu(record->key_len));
	return ret < 0 ? ret : ret ? 0 : gate_judge_record(finding, arg);
}

static int gate_survey_all(struct survey *s, struct kstate_set *out, struct kstate_set *in)
{
	int ret = kstate_walk_objects(gate_survey_object, s);

	if (!ret)
		ret = gate_survey_flush(s);
	if (!ret)
		ret = kstate_check_set(out, target, gate_judge_record, &s->judge);
	if (!ret && in)
		ret = kstate_check_set(in, target, gate_judge_unclaimed, &s->judge);
	return ret;
}

/**
 * kstate_gate_check() - what the target would do with everything as it is now
 * @report: called for each object, with the verdict after the policy
 * @arg: for @report
 * @tally: set to how many objects there are of each verdict
 *
 * Registered objects are saved to memory of this kernel for it; what they hand
 * over in place is not touched. Their functions are called as for a jump.
 *
 * Context: no object is registered or unregistered meanwhile; may sleep long.
 * Return: 0; -ENODATA if there is no target; -ENOMEM, or what @report returned.
 */
int kstate_gate_check(kstate_finding_fn report, void *arg, struct kstate_tally *tally)
{
	struct survey s = { .judge = { .report = report, .arg = arg } };
	u64 start = local_clock();
	int ret = kstate_live_open(&s.live);

	if (ret)
		return ret;
	scoped_guard(registry) {
		guard(mutex)(&gate_lock);
		ret = target ? gate_survey_all(&s, kstate_outgoing(), kstate_incoming()) :
			       -ENODATA;
		s.judge.tally.ns = local_clock() - start;
		if (!ret)
			gate.tally = s.judge.tally;
	}
	kstate_live_close(&s.live);
	*tally = s.judge.tally;
	return ret;
}

/* Whether kexec has loaded the target */
static int gate_check_image(const struct kstate_loaded *loaded, struct kstate_error *err)
{
	struct kstate_where where = { .state = "gate", .err = err };
	const char *release = loaded->release;

	if (!release)
		return kstate_fail(&where, NULL, KSTATE_FOREIGN, -ENOEXEC,
				   "%s, loaded by kexec_file_load\nwhat kexec_load does not tell",
				   target->writer);
	if (target_crc_known ? loaded->crc == target_crc :
			       *release && !strcmp(release, target->writer))
		return 0;
	if (!target_crc_known)
		return kstate_fail(&where, NULL, KSTATE_FOREIGN, -ENOEXEC,
				   "%s to be loaded\n%s", target->writer,
				   *release ? release : "an image without a release");
	return kstate_fail(&where, NULL, KSTATE_FOREIGN, -ENOEXEC,
			   "%s (image %08x) to be loaded\n%s (image %08x)", target->writer,
			   target_crc, release, loaded->crc);
}

/* What was saved for this jump, judged by the target */
static int gate_check_saved(struct kstate_set *out, struct kstate_error *err)
{
	struct judge j = {};
	u64 start = local_clock();
	int ret = kstate_check_set(out, target, gate_judge_record, &j);
	u32 refused = j.tally.nr[KSTATE_REFUSED] - j.tally.allowed;

	j.tally.ns = local_clock() - start;
	gate.tally = j.tally;
	if (ret) {
		struct kstate_where where = { .state = "gate", .err = err };

		return kstate_fail(&where, NULL, KSTATE_NO_MEMORY, ret, "memory\nnone");
	}
	if (!refused)
		return 0;
	pr_warn("gate: %s would refuse %u of the objects%s\n", target->writer, refused,
		gate.armed == KSTATE_ARMED_FORCE ? ": the jump is forced" : ": no jump");
	if (gate.armed == KSTATE_ARMED_FORCE)
		return 0;
	*err = j.first;
	return err->code;
}

/**
 * kstate_gate_armed() - will a jump be refused if the next kernel does not take the state?
 *
 * For state that must not be left to a kernel that knows nothing of it.
 *
 * Context: may sleep.
 * Return: true if the gate is armed, also if it is forced: then somebody knows better.
 */
bool kstate_gate_armed(void)
{
	guard(mutex)(&gate_lock);
	return gate.armed != KSTATE_ARMED_OFF;
}
EXPORT_SYMBOL_GPL(kstate_gate_armed);

/**
 * kstate_gate_jump() - whether a kexec may go on
 * @out: what has been saved for it
 * @loaded: what kexec has loaded, or NULL: then whoever has loaded it vouches for it
 * @err: why not
 *
 * Context: the streams of @out do not change.
 * Return: 0, or a negative error code.
 */
int kstate_gate_jump(struct kstate_set *out, const struct kstate_loaded *loaded,
		     struct kstate_error *err)
{
	int ret;

	guard(mutex)(&gate_lock);
	if (gate.armed == KSTATE_ARMED_OFF)
		return 0;
	ret = loaded ? gate_check_image(loaded, err) : 0;
	if (ret && gate.armed == KSTATE_ARMED_FORCE) {
		pr_warn("gate: armed for %s, jumping to %s: the jump is forced\n", target->writer,
			err->found);
		err->code = 0;
		ret = 0;
	}
	return ret ?: gate_check_saved(out, err);
}

/**
 * kstate_gate_exit() - forget target and policy
 */
void kstate_gate_exit(void)
{
	guard(mutex)(&gate_lock);
	kstate_set_destroy(target);
	target = NULL;
	gate = (struct kstate_gate_status){};
	gate_free_rules(&policy);
}
