/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_COMPILER_H
#define _SHIM_LINUX_COMPILER_H

#ifndef __always_inline
#define __always_inline		inline __attribute__((always_inline))
#endif
#define __printf(a, b)		__attribute__((format(printf, a, b)))
#define __maybe_unused		__attribute__((unused))
#define __always_unused		__attribute__((unused))
#define __must_check		__attribute__((warn_unused_result))
#define __aligned(x)		__attribute__((aligned(x)))
#define __packed		__attribute__((packed))
#define __cleanup(fn)		__attribute__((cleanup(fn)))
#define __used			__attribute__((used))
#define __section(name)		__attribute__((section(name)))
#define __weak			__attribute__((weak))
#define __malloc		__attribute__((malloc))
#define __cold			__attribute__((cold))
#define __pure			__attribute__((pure))
#undef __nonstring
#define __nonstring
#define __counted_by(m)
#define __counted_by_le(m)
#define noinline		__attribute__((noinline))
#define noinline_for_stack	noinline
#define __uninitialized
#define fallthrough		__attribute__((fallthrough))
#define __init
#define __exit
#define __initdata
#define __initconst
#define __exitdata
#define __ro_after_init
#define __read_mostly
#define __ref
#define __refdata
#define __init_or_module
#define __force
#define __user
#define __rcu
#define __bitwise
#define __acquires(x)
#define __releases(x)
#define __must_hold(x)

#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#define barrier()		__asm__ __volatile__("" : : : "memory")
#define unreachable()		__builtin_unreachable()
#define prefetch(x)		__builtin_prefetch(x)
#define prefetchw(x)		__builtin_prefetch(x, 1)

#ifdef SHIM_THREADS
/* So that ThreadSanitizer does not take them for races */
#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, val)	__atomic_store_n(&(x), val, __ATOMIC_RELAXED)
#else
#define READ_ONCE(x)		(*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, val)	(*(volatile typeof(x) *)&(x) = (val))
#endif
#define smp_load_acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)
#define smp_mb()		__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_rmb()		__atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb()		__atomic_thread_fence(__ATOMIC_RELEASE)

#define __same_type(a, b)	__builtin_types_compatible_p(typeof(a), typeof(b))
#define __is_constexpr(x)	__builtin_constant_p(x)
#define OPTIMIZER_HIDE_VAR(var)	__asm__("" : "+r" (var))

#ifndef static_assert
#define static_assert(expr, ...)	__shim_assert(expr, ##__VA_ARGS__, #expr)
#define __shim_assert(expr, msg, ...)	_Static_assert(expr, msg)
#endif

#define __PASTE_(a, b)		a##b
#define __PASTE(a, b)		__PASTE_(a, b)
#define __UNIQUE_ID(prefix)	__PASTE(__PASTE(__unique_, prefix), __COUNTER__)

#define IS_MODULE(option)	0

#endif
