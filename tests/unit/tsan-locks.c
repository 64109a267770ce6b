/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * GMutex is a bare futex inside a GLib that is not instrumented, so ThreadSanitizer takes
 * everything it guards for a race. These definitions stand before GLib's and tell it. Linked into
 * the unit tests of a -Db_sanitize=thread build only.
 */

#include <dlfcn.h>
#include <glib.h>

void __tsan_acquire(void *address);
void __tsan_release(void *address);

typedef void (*MutexFunction)(GMutex *mutex);
typedef gboolean (*TrylockFunction)(GMutex *mutex);

/* Remembered in @place; several threads may be the first. */
static gintptr find_next(gintptr *place, const char *name)
{
	gintptr function = __atomic_load_n(place, __ATOMIC_RELAXED);

	if (function)
		return function;
	function = (gintptr)dlsym(RTLD_NEXT, name);
	if (!function)
		__builtin_trap();
	__atomic_store_n(place, function, __ATOMIC_RELAXED);
	return function;
}

void g_mutex_lock(GMutex *mutex)
{
	static gintptr place;
	MutexFunction next = (MutexFunction)find_next(&place, "g_mutex_lock");

	next(mutex);
	__tsan_acquire(mutex);
}

void g_mutex_unlock(GMutex *mutex)
{
	static gintptr place;
	MutexFunction next = (MutexFunction)find_next(&place, "g_mutex_unlock");

	__tsan_release(mutex);
	next(mutex);
}

gboolean g_mutex_trylock(GMutex *mutex)
{
	static gintptr place;
	TrylockFunction next = (TrylockFunction)find_next(&place, "g_mutex_trylock");

	if (!next(mutex))
		return FALSE;
	__tsan_acquire(mutex);
	return TRUE;
}
