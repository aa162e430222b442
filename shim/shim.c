// SPDX-License-Identifier: GPL-2.0-only
/* What the core calls of the kernel, apart from pages and KHO. */
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <time.h>
#include <sys/utsname.h>

#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/kexec.h>
#include <linux/mutex.h>
#include <linux/sched/clock.h>
#include <linux/seq_buf.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/utsname.h>
#include <shim.h>

void shim_bug(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s%s:%d: %s\n", shim_log(), file, line, what);
	abort();
}

#ifdef SHIM_THREADS

__thread char shim_task;
static pthread_mutex_t step = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

void shim_lock(void)
{
	pthread_mutex_lock(&step);
}

void shim_unlock(int *unused)
{
	pthread_mutex_unlock(&step);
}

#endif

/* Failing on demand */

static long fail_at, fail_seen;

void shim_fail_at(long n)
{
	fail_at = n;
	fail_seen = 0;
}

bool shim_failed(void)
{
	return fail_at && fail_seen >= fail_at;
}

bool shim_may_fail(void)
{
	return unlikely(fail_at) && ++fail_seen == fail_at;
}

/* Memory */

static long live;
static size_t live_bytes;

#ifdef SHIM_THREADS
#define COUNT(_what, _n)	__atomic_add_fetch(&(_what), _n, __ATOMIC_RELAXED)
#else
#define COUNT(_what, _n)	((_what) += (_n))
#endif

long shim_live(void)
{
	return live;
}

size_t shim_live_bytes(void)
{
	return live_bytes;
}

void *kvmalloc(size_t size, gfp_t gfp)
{
	void *p;

	if ((!(gfp & __GFP_NOFAIL) && shim_may_fail()) || size > SIZE_MAX / 2)
		return NULL;
	if (!size)
		return ZERO_SIZE_PTR;
	p = gfp & __GFP_ZERO ? calloc(1, size) : malloc(size);
	if (p) {
		COUNT(live, 1);
		COUNT(live_bytes, malloc_usable_size(p));
	}
	return p;
}

void *kvrealloc(const void *p, size_t size, gfp_t gfp)
{
	size_t old = ZERO_OR_NULL_PTR(p) ? 0 : malloc_usable_size((void *)p);
	void *q;

	if (!size) {
		kvfree(p);
		return ZERO_SIZE_PTR;
	}
	q = kvmalloc(size, gfp);
	if (!q)
		return NULL;
	if (old)
		memcpy(q, p, old < size ? old : size);
	kvfree(p);
	return q;
}

void kvfree(const void *p)
{
	if (ZERO_OR_NULL_PTR(p))
		return;
	COUNT(live, -1);
	COUNT(live_bytes, -malloc_usable_size((void *)p));
	free((void *)p);
}

/* Locks */

#ifdef SHIM_FAST

/* Calls of functions with one locked instruction, as in the kernel */

void mutex_lock(struct mutex *m)
{
	int free = 0;

	if (!__atomic_compare_exchange_n(&m->locked, &free, 1, false, __ATOMIC_ACQUIRE,
					 __ATOMIC_RELAXED))
		shim_bug(__FILE__, __LINE__, "mutex taken twice");
}

void mutex_unlock(struct mutex *m)
{
	int held = 1;

	if (!__atomic_compare_exchange_n(&m->locked, &held, 0, false, __ATOMIC_RELEASE,
					 __ATOMIC_RELAXED))
		shim_bug(__FILE__, __LINE__, "mutex not held");
}

#endif

/* Strings */

ssize_t __shim_strscpy(char *to, const char *from, size_t size, bool pad)
{
	size_t len = strnlen(from, size);

	if (!size)
		return -E2BIG;
	if (len == size) {
		memcpy(to, from, size - 1);
		to[size - 1] = 0;
		return -E2BIG;
	}
	memcpy(to, from, len);
	memset(to + len, 0, pad ? size - len : 1);
	return len;
}

void *memchr_inv(const void *p, int c, size_t size)
{
	const u8 *s = p;

	for (; size; s++, size--)
		if (*s != (u8)c)
			return (void *)s;
	return NULL;
}

void *kvmemdup(const void *p, size_t size, gfp_t gfp)
{
	void *q = kvmalloc(size, gfp);

	return q && size ? memcpy(q, p, size) : q;
}

void *kmemdup(const void *p, size_t size, gfp_t gfp)
{
	return kvmemdup(p, size, gfp);
}

char *kmemdup_nul(const char *s, size_t len, gfp_t gfp)
{
	char *q = kvmalloc(len + 1, gfp);

	if (q) {
		memcpy(q, s, len);
		q[len] = 0;
	}
	return q;
}

char *kstrndup(const char *s, size_t max, gfp_t gfp)
{
	return s ? kmemdup_nul(s, max == SIZE_MAX ? strlen(s) : strnlen(s, max), gfp) : NULL;
}

char *kstrdup(const char *s, gfp_t gfp)
{
	return kstrndup(s, SIZE_MAX, gfp);
}

const char *kstrdup_const(const char *s, gfp_t gfp)
{
	return kstrdup(s, gfp);
}

void kfree_const(const void *p)
{
	kvfree(p);
}

char *skip_spaces(const char *s)
{
	while (isspace((unsigned char)*s))
		s++;
	return (char *)s;
}

char *strim(char *s)
{
	size_t len = strlen(s);

	while (len && isspace((unsigned char)s[len - 1]))
		s[--len] = 0;
	return skip_spaces(s);
}

int vscnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
	int len = vsnprintf(buf, size, fmt, args);

	if (!size)
		return 0;
	return len < (int)size ? len : (int)size - 1;
}

int scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vscnprintf(buf, size, fmt, args);
	va_end(args);
	return len;
}

int seq_buf_printf(struct seq_buf *s, const char *fmt, ...)
{
	size_t room = s->len < s->size ? s->size - s->len : 0;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(room ? s->buffer + s->len : NULL, room, fmt, args);
	va_end(args);
	if ((size_t)len < room) {
		s->len += len;
		return 0;
	}
	s->len = s->size + 1;
	return -1;
}

int seq_buf_puts(struct seq_buf *s, const char *str)
{
	return seq_buf_printf(s, "%s", str);
}

int seq_buf_putc(struct seq_buf *s, unsigned char c)
{
	return seq_buf_printf(s, "%c", c);
}

/* Numbers: all of the string, but for one newline at its end */

static int number_end(const char *s, const char *end)
{
	if (end == s)
		return -EINVAL;
	if (*end == '\n')
		end++;
	return *end ? -EINVAL : 0;
}

int kstrtoull(const char *s, unsigned int base, unsigned long long *res)
{
	char *end;

	if (*s == '-' || isspace((unsigned char)*s))
		return -EINVAL;
	errno = 0;
	*res = strtoull(s, &end, base);
	return errno ? -errno : number_end(s, end);
}

int kstrtoll(const char *s, unsigned int base, long long *res)
{
	char *end;

	if (isspace((unsigned char)*s))
		return -EINVAL;
	errno = 0;
	*res = strtoll(s, &end, base);
	return errno ? -errno : number_end(s, end);
}

int kstrtouint(const char *s, unsigned int base, unsigned int *res)
{
	unsigned long long val;
	int ret = kstrtoull(s, base, &val);

	if (ret)
		return ret;
	*res = val;
	return val == *res ? 0 : -ERANGE;
}

int kstrtoint(const char *s, unsigned int base, int *res)
{
	long long val;
	int ret = kstrtoll(s, base, &val);

	if (ret)
		return ret;
	*res = val;
	return val == *res ? 0 : -ERANGE;
}

int kstrtobool(const char *s, bool *res)
{
	if (!*s || !strchr("yY1tTnN0fF", *s))
		return -EINVAL;
	*res = strchr("yY1tT", *s) != NULL;
	return 0;
}

/* The log */

static char log_text[1 << 16];
static size_t log_len;

const char *shim_log(void)
{
	return log_text;
}

void shim_log_clear(void)
{
	log_len = 0;
	log_text[0] = 0;
}

void shim_printk(int level, const char *fmt, ...)
{
	va_list args;
	size_t start;

	shim_atomic();
	if (log_len > sizeof(log_text) - 2048) {
		memmove(log_text, log_text + log_len / 2, log_len - log_len / 2 + 1);
		log_len -= log_len / 2;
	}
	start = log_len;
	if (level >= 0)
		log_len += scnprintf(log_text + log_len, sizeof(log_text) - log_len, "<%d>", level);
	va_start(args, fmt);
	log_len += vscnprintf(log_text + log_len, sizeof(log_text) - log_len, fmt, args);
	va_end(args);
	if (getenv("KSTATE_LOG"))
		fputs(log_text + start, stderr);
}

/* The machine */

static u64 clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static u64 monotonic(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

u64 ktime_get_real_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

#if defined(SHIM_FAST) && defined(__x86_64__)

/* For benchmarks: a counter, a multiplication and a shift, as in the kernel */
static u64 clock_mult;

__attribute__((constructor))
static void clock_calibrate(void)
{
	u64 start = monotonic(), cycles = __builtin_ia32_rdtsc(), ns;

	while ((ns = monotonic() - start) < 5000000)
		;
	clock_mult = (ns << 32) / (__builtin_ia32_rdtsc() - cycles);
}

u64 local_clock(void)
{
	return ((unsigned __int128)__builtin_ia32_rdtsc() * clock_mult) >> 32;
}

#else

u64 local_clock(void)
{
	return monotonic();
}

#endif

static struct new_utsname names;

void shim_set_release(const char *release)
{
	struct utsname host;

	if (!release && !uname(&host))
		release = host.release;
	strscpy(names.release, release ?: "unknown");
}

struct new_utsname *init_utsname(void)
{
	if (!names.release[0])
		shim_set_release(NULL);
	return &names;
}

/* Boot, jump, shutdown: weak, because not every program has initcalls */

extern int (*const __start_shim_init[])(void) __weak;
extern int (*const __stop_shim_init[])(void) __weak;
extern int (*const __start_shim_exit[])(void) __weak;
extern int (*const __stop_shim_exit[])(void) __weak;

/* As in init/main.c */
void kstate_open_incoming(void) __weak;

void (*shim_before_initcalls)(void);
struct kimage shim_image = { .file_mode = true };

int shim_boot(void)
{
	int (*const *call)(void);
	int ret = 0;

	strscpy(shim_image.kernel_release, init_utsname()->release);
	if (kstate_open_incoming)
		kstate_open_incoming();
	if (shim_before_initcalls)
		shim_before_initcalls();
	for (call = __start_shim_init; !ret && call < __stop_shim_init; call++)
		ret = (*call)();
	return ret;
}

void shim_shutdown(void)
{
	int (*const *call)(void);

	for (call = __start_shim_exit; call < __stop_shim_exit; call++)
		((void (*)(void))*call)();
}

static struct notifier_block *kexec_chain;

int register_kexec_notifier(struct notifier_block *nb)
{
	nb->next = kexec_chain;
	kexec_chain = nb;
	return 0;
}

int unregister_kexec_notifier(struct notifier_block *nb)
{
	struct notifier_block **link = &kexec_chain;

	while (*link && *link != nb)
		link = &(*link)->next;
	if (!*link)
		return -ENOENT;
	*link = nb->next;
	return 0;
}

int shim_kexec_prepare(void)
{
	struct notifier_block *nb;
	int ret;

	for (nb = kexec_chain; nb; nb = nb->next) {
		ret = nb->notifier_call(nb, KEXEC_PREPARE, &shim_image);
		if (ret & 0x8000) {
			shim_kexec_abort();
			return NOTIFY_OK - (ret & ~0x8000);
		}
	}
	return 0;
}

void shim_kexec_abort(void)
{
	struct notifier_block *nb;

	for (nb = kexec_chain; nb; nb = nb->next)
		nb->notifier_call(nb, KEXEC_ABORT, &shim_image);
}
