/* Shows the thread sanitizer that a contended `Mutex` orders the accesses of its holders.
 *
 * Without contention a Mutex of Swift's Synchronization is an atomic operation in our own code, which the sanitizer
 * sees. With contention the library locks and unlocks. The library is not built for the sanitizer, so each contended
 * lock would be reported as a race. These functions wrap the library's in the programs that scripts/test links for
 * the sanitizer. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context))
#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY_LOCK "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

/* Weak: programs of the build itself are linked with this file too, and without the sanitizer. */
__attribute__((weak)) void __tsan_acquire(void *address);
__attribute__((weak)) void __tsan_release(void *address);

typedef SWIFT void lock_function(uint32_t thread, SELF void *handle);
typedef SWIFT bool try_lock_function(SELF void *handle);
typedef SWIFT void unlock_function(SELF void *handle);

static void *library_function(_Atomic(void *) *found, const char *name) {
    void *function = atomic_load(found);
    if (!function) atomic_store(found, function = dlsym(RTLD_NEXT, name));
    return function;
}

SWIFT void lock_slow(uint32_t thread, SELF void *handle) __asm__(LOCK);
SWIFT void lock_slow(uint32_t thread, SELF void *handle) {
    static _Atomic(void *) found;
    ((lock_function *)library_function(&found, LOCK))(thread, handle);
    if (__tsan_acquire) __tsan_acquire(handle);
}

SWIFT bool try_lock_slow(SELF void *handle) __asm__(TRY_LOCK);
SWIFT bool try_lock_slow(SELF void *handle) {
    static _Atomic(void *) found;
    bool is_locked = ((try_lock_function *)library_function(&found, TRY_LOCK))(handle);
    if (is_locked && __tsan_acquire) __tsan_acquire(handle);
    return is_locked;
}

SWIFT void unlock_slow(SELF void *handle) __asm__(UNLOCK);
SWIFT void unlock_slow(SELF void *handle) {
    static _Atomic(void *) found;
    if (__tsan_release) __tsan_release(handle);
    ((unlock_function *)library_function(&found, UNLOCK))(handle);
}
