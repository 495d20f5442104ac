#include "rig_alloc.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "test.h"

static atomic_ulong calls, fail_at;
static atomic_long live;
static atomic_bool refused, paused, keeps_failing;

/* Whether this call may go on. */
static bool allowed(void) {
    if (atomic_load(&paused)) return true;
    unsigned long n = atomic_fetch_add(&calls, 1) + 1, at = atomic_load(&fail_at);
    if (at == 0 || n < at) return true;
    if (n > at && !atomic_load(&keeps_failing)) return true;
    atomic_store(&refused, true);
    return false;
}

static void *hook_malloc(size_t size) {
    void *p = allowed() ? malloc(size) : NULL;
    atomic_fetch_add(&live, p != NULL);
    return p;
}

static void *hook_calloc(size_t count, size_t size) {
    void *p = allowed() ? calloc(count, size) : NULL;
    atomic_fetch_add(&live, p != NULL);
    return p;
}

static void *hook_realloc(void *old, size_t size) {
    bool fresh = old == NULL;
    void *p = allowed() ? realloc(old, size) : NULL;
    atomic_fetch_add(&live, p != NULL && fresh);
    return p;
}

static void hook_free(void *p) {
    atomic_fetch_sub(&live, p != NULL);
    free(p);
}

void rig_alloc_begin(unsigned long fail, bool sticky) {
    gale_allocator_t hooks = {hook_malloc, hook_realloc, hook_calloc, hook_free};
    atomic_store(&calls, 0);
    atomic_store(&live, 0);
    atomic_store(&refused, false);
    atomic_store(&paused, false);
    atomic_store(&keeps_failing, sticky);
    atomic_store(&fail_at, fail);
    CHECK_EQ_INT(gale_set_allocator(&hooks), GALE_OK);
}

void rig_alloc_end(void) {
    CHECK_EQ_INT(gale_set_allocator(NULL), GALE_OK);
    CHECK_EQ_INT(atomic_load(&live), 0);
}

unsigned long rig_alloc_calls(void) {
    return atomic_load(&calls);
}
bool rig_alloc_refused(void) {
    return atomic_load(&refused);
}
void rig_alloc_pause(bool on) {
    atomic_store(&paused, on);
}

/* -------------------------------------------------------------------------------- malloc itself */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif

static atomic_ulong malloc_calls;

unsigned long rig_malloc_calls(void) {
    return atomic_load(&malloc_calls);
}

#if defined(__GLIBC__) && !defined(SANITIZED)
/* glibc lets a program define malloc, and keeps its own under these names. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *p, size_t size);

void *malloc(size_t size) {
    atomic_fetch_add_explicit(&malloc_calls, 1, memory_order_relaxed);
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    atomic_fetch_add_explicit(&malloc_calls, 1, memory_order_relaxed);
    return __libc_calloc(count, size);
}

void *realloc(void *p, size_t size) {
    atomic_fetch_add_explicit(&malloc_calls, 1, memory_order_relaxed);
    return __libc_realloc(p, size);
}

bool rig_malloc_watched(void) {
    return true;
}
#else
bool rig_malloc_watched(void) {
    return false;
}
#endif
