// SPDX-License-Identifier: GPL-2.0-only
/*
 * kstate jump: check, load, arm and kexec, on kernels that can refuse a kexec and on those
 * that cannot.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "cmdline.h"
#include "live.h"

/**
 * struct jump - how to jump
 * @arm: how to arm, and the images of the target; the first for arm_children
 * @initrd: initramfs of the target, or NULL
 * @given: command line of the target, or NULL for that of this kernel
 * @append: words to add to it, or NULL
 * @no_initrd: there is none
 * @stay: do everything but the jump
 * @line: the command line that is loaded
 * @kernel: path of the image to load
 * @loaded: it is
 * @stops: signals that are held back, and looked at by stopped()
 * @before: which were held back before that
 */
struct jump {
	struct arm arm;
	const char *initrd;
	const char *given;
	char *append;
	bool no_initrd;
	bool stay;
	struct command_line line;
	char *kernel;
	bool loaded;
	sigset_t stops;
	sigset_t before;
};

/* Loading */

static void unload(void)
{
	syscall(SYS_kexec_file_load, -1, -1, 0, NULL, KEXEC_FILE_UNLOAD);
}

static enum status load(struct jump *j, struct trouble *t)
{
	unsigned long flags = j->initrd ? 0 : KEXEC_FILE_NO_INITRAMFS;
	int kernel = open(j->kernel, O_RDONLY | O_CLOEXEC);
	int initrd = j->initrd ? open(j->initrd, O_RDONLY | O_CLOEXEC) : -1;
	enum status status = STATUS_OK;
	struct stat st;

	if (kernel < 0)
		status = trouble(t, STATUS_INPUT, "%s: %s", j->kernel, strerror(errno));
	else if (j->initrd && initrd < 0)
		status = trouble(t, STATUS_INPUT, "%s: %s", j->initrd, strerror(errno));
	else if (j->initrd && (fstat(initrd, &st) || !S_ISREG(st.st_mode) || !st.st_size))
		status = trouble(t, STATUS_INPUT, "%s: is no file, or an empty one", j->initrd);
	else if (syscall(SYS_kexec_file_load, kernel, initrd, strlen(j->line.text) + 1, j->line.text, flags))
		status = trouble(t, STATUS_KERNEL, "%s: kexec cannot load it: %s%s", j->kernel,
				 strerror(errno),
				 errno == EPERM ? ": be root, and see kernel.kexec_load_disabled and lockdown" :
				 ": the kernel log may say why; a command line can be too long");
	j->loaded = !status;
	if (kernel >= 0)
		close(kernel);
	if (initrd >= 0)
		close(initrd);
	return status;
}

void forget_jump(const char *dir)
{
	struct trouble no = {};
	json_t *jump = sysfs_json(dir, "jump", &no);

	if (jump && *json_member(jump, "jump"))
		unload();
	sysfs_write(dir, "jump", "\n", &no);
	json_decref(jump);
}

/* As it was before, but for an image that was loaded earlier and gave way */
static void take_back(const struct jump *j, const struct answer *answer)
{
	struct trouble no = {};

	if (j->loaded)
		unload();
	if (answer->printed)
		disarm(j->arm.live.sysfs, &no);
}

/* Being told to stop */

/* Until the command ends or jumps: a signal would leave it half done at any place */
static void hold_stops(struct jump *j)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM };
	struct sigaction now;

	sigemptyset(&j->stops);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		if (!sigaction(signals[i], NULL, &now) && now.sa_handler != SIG_IGN)
			sigaddset(&j->stops, signals[i]);
	sigprocmask(SIG_BLOCK, &j->stops, &j->before);
}

static enum status stopped(const struct jump *j, struct trouble *t)
{
	sigset_t pending;

	sigpending(&pending);
	sigandset(&pending, &pending, &j->stops);
	if (sigisemptyset(&pending))
		return STATUS_OK;
	return trouble(t, STATUS_SYSTEM, "told to stop by a signal: no jump, nothing is loaded or armed");
}

/* Rehearsing and jumping */

/* What the kernel says of the jump that it has refused, in a sentence */
static enum status refused_jump(const char *dir, const char *what, struct trouble *t)
{
	const char *why = strerror(errno);
	struct trouble none = {};
	json_t *err = sysfs_json(dir, "last_error.json", &none);
	char *text = json_is_object(err) ? error_text(err) : NULL;
	enum status status = trouble(t, STATUS_BLOCKED, "the running kernel refuses %s: %s", what,
				     text ?: why);

	free(text);
	json_decref(err);
	return status;
}

/*
 * A kernel that cannot refuse a kexec does beforehand all that it is going to do; the
 * others find out at the jump itself, which returns if they refuse.
 */
static enum status rehearse(const struct jump *j, struct trouble *t)
{
	const char *dir = j->arm.live.sysfs;
	struct trouble no = {};

	if (!j->line.token[0] || !sysfs_write(dir, "jump", j->line.token, &no))
		return STATUS_OK;
	return refused_jump(dir, "the rehearsal of the jump", t);
}

static enum status leave(const struct jump *j, struct trouble *t)
{
	static char *const systemctl[] = { "systemctl", "kexec", NULL };
	int how = -1;
	pid_t pid;

	/* Who has not been told is not jumped with */
	if (fflush(stdout) || ferror(stdout))
		return trouble(t, STATUS_SYSTEM, "cannot write: no jump");
	sync();
	if (stopped(j, t))
		return t->status;
	/* Services are to be stopped first, where there are any: systemd does that, and jumps */
	if (!access("/run/systemd/system", F_OK)) {
		pid = fork();
		if (!pid) {
			sigprocmask(SIG_SETMASK, &j->before, NULL);
			execvp(systemctl[0], systemctl);
			_exit(127);
		}
		if (pid > 0 && waitpid(pid, &how, 0) == pid && !how)
			return STATUS_OK;
		return trouble(t, STATUS_SYSTEM, "systemctl kexec has failed: no jump");
	}
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC, NULL);
	return refused_jump(j->arm.live.sysfs, "the jump", t);
}

static void print_loaded(const struct jump *j)
{
	json_t *line;

	if (!options.json) {
		printf("loaded: %s%s%s, with: %s\n", j->kernel, j->initrd ? " and " : "",
		       j->initrd ?: "", j->line.text);
		if (j->line.token[0])
			printf("rehearsed: all was saved, and fits into the range; this is jump %s\n",
			       j->line.token);
		puts(j->stay ? "ready: systemctl kexec, or kexec -e, jumps; kstate disarm takes it back" :
			       "jumping");
		return;
	}
	line = json_pack("{s:o,s:o,s:s}", "kernel", json_printable(j->kernel), "command_line",
			 json_printable(j->line.text), "jump", j->line.token);
	fputs(",\n  \"loaded\": ", stdout);
	json_dumpf(line, stdout, JSON_COMPACT);
	puts("\n}");
	json_decref(line);
}

/* What would be lost stops a jump, unless forced */
static enum status judge(const struct jump *j, const struct answer *answer, struct trouble *t)
{
	long long blocked = answer_blocked(answer);

	if (!blocked || j->arm.force)
		return STATUS_OK;
	return trouble(t, STATUS_BLOCKED,
		       "%lld object%s would be refused: nothing was loaded; change what is in the way, or use --policy or --force",
		       blocked, blocked == 1 ? "" : "s");
}

static enum status prepare(struct jump *j, int lock, struct answer *answer, struct trouble *t)
{
	enum status status;

	status = command_line_make(&j->line, j->arm.live.sysfs, j->given, j->append, t);
	status = status ?: arm(&j->arm, lock, answer, t);
	status = status ?: judge(j, answer, t);
	status = status ?: load(j, t);
	return status ?: rehearse(j, t);
}

static enum status jump(struct jump *j, int lock, struct trouble *t)
{
	struct answer answer = {};
	enum status status;

	hold_stops(j);
	status = prepare(j, lock, &answer, t) ?: stopped(j, t);
	if (!status) {
		print_loaded(j);
		if (j->stay)
			return outcome_status(answer.worst);
		status = leave(j, t);
		if (!status)
			return status;
	} else if (options.json && answer.printed) {
		puts("\n}");
	}
	take_back(j, &answer);
	return status;
}

/* Options */

static const struct argp_option jump_options[] = {
	{ "initrd", 'i', "FILE", 0, "The initramfs of the next kernel", 0 },
	{ "no-initrd", 'n', NULL, 0, "It has none", 0 },
	{ "command-line", 'c', "TEXT", 0, "Its command line; without this, that of the running kernel",
	  0 },
	{ "append", 'A', "TEXT", 0, "Words to add to the command line, also several times", 0 },
	{ "stay", 's', NULL, 0, "Do everything but the jump", 0 },
	{}
};

static error_t parse_jump(int key, char *arg, struct argp_state *state)
{
	struct jump *j = state->input;
	char *before;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &j->arm;
		return 0;
	case 'i':
		j->initrd = arg;
		return 0;
	case 'c':
		j->given = arg;
		return 0;
	case 'n':
		j->no_initrd = true;
		return 0;
	case 'A':
		before = j->append;
		if (asprintf(&j->append, "%s %s", before ?: "", arg) < 0)
			return ENOMEM;
		free(before);
		return 0;
	case 's':
		j->stay = true;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp jump_argp = {
	.options = jump_options, .parser = parse_jump, .children = arm_children,
	.args_doc = "IMAGE...",
	.doc = "Replace the running kernel by the kernel IMAGE: ask what that would refuse of the live state, load it, arm the gate, and kexec.\vIMAGE and its modules are named as for kstate check. Nothing is loaded if anything would be refused. Where systemd runs, it stops the services and jumps. On a kernel without kexec handover, with KSTATE as a module, all that the jump does is done once beforehand and taken back, because such a kernel cannot refuse a kexec. Told to stop before the jump by SIGHUP, SIGINT or SIGTERM, it takes back what it has done.\nExit status: that of kstate arm if the jump did not come; 0 or 1 with --stay.",
};

enum status command_jump(int argc, char **argv, struct trouble *t)
{
	struct jump j = {};
	enum status status;
	int lock;

	if (argp_parse(&jump_argp, argc, argv, 0, NULL, &j))
		return STATUS_USAGE;
	if (!j.initrd == !j.no_initrd)
		return trouble(t, STATUS_USAGE,
			       "give the initramfs of the next kernel by --initrd, or --no-initrd");
	status = sysfs_begin(j.arm.live.sysfs, t);
	if (status)
		return status;
	j.kernel = bootable_image(&j.arm.live);
	if (!j.kernel && access(j.arm.live.names[0], F_OK) && !strchr(j.arm.live.names[0], ','))
		return trouble(t, STATUS_INPUT, "%s: %s", j.arm.live.names[0], strerror(errno));
	if (!j.kernel)
		return trouble(t, STATUS_FOREIGN,
			       "%s: not a kernel that kexec can load: name its bzImage, vmlinuz or Image before its modules",
			       j.arm.live.names[0]);
	lock = sysfs_lock(j.arm.live.sysfs, t);
	status = lock < 0 ? t->status : jump(&j, lock, t);
	if (lock >= 0)
		close(lock);
	free(j.kernel);
	free(j.append);
	command_line_free(&j.line);
	return status;
}
