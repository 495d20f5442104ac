/* The mailbox: order, waking, posting from letters and from many threads, closing. */
#include "mailbox.h"

#include <pthread.h>
#include <uv.h>

#include "rig_alloc.h"
#include "test.h"

typedef struct {
    unsigned seen[64];
    unsigned count;
} seen_t;

static seen_t seen;

static void note(void *arg) {
    seen.seen[seen.count++ % 64] = (unsigned)(uintptr_t)arg;
}

TEST(mailbox, letters_run_in_order_and_only_the_first_wakes) {
    gale__mailbox_t m = {0};
    seen = (seen_t){0};
    for (uintptr_t i = 0; i < 10; i++)
        CHECK_EQ_INT(gale__mailbox_post(&m, note, (void *)i), i == 0);
    gale__mailbox_run(&m);
    CHECK_EQ_UINT(seen.count, 10);
    for (unsigned i = 0; i < 10; i++) CHECK_EQ_UINT(seen.seen[i], i);
    CHECK_EQ_INT(gale__mailbox_post(&m, note, NULL), 1);
    gale__mailbox_close(&m);
    CHECK_EQ_UINT(seen.count, 11);
}

static gale__mailbox_t again_box;

static void post_again(void *arg) {
    note(arg);
    uintptr_t left = (uintptr_t)arg;
    if (left > 0) CHECK(gale__mailbox_post(&again_box, post_again, (void *)(left - 1)) >= 0);
}

TEST(mailbox, closing_runs_what_letters_post) {
    seen = (seen_t){0};
    again_box = (gale__mailbox_t){0};
    CHECK_EQ_INT(gale__mailbox_post(&again_box, post_again, (void *)5), 1);
    gale__mailbox_close(&again_box);
    CHECK_EQ_UINT(seen.count, 6);
    CHECK_EQ_INT(gale__mailbox_post(&again_box, note, NULL), GALE_EGONE);
    gale__mailbox_close(&again_box); /* twice is fine */
    CHECK_EQ_UINT(seen.count, 6);
}

static void post_for_ever(void *arg) {
    note(arg);
    gale__mailbox_post(&again_box, post_for_ever, arg);
}

TEST(mailbox, closing_ends_though_letters_never_cease) {
    seen = (seen_t){0};
    again_box = (gale__mailbox_t){0};
    CHECK_EQ_INT(gale__mailbox_post(&again_box, post_for_ever, NULL), 1);
    gale__mailbox_close(&again_box);
    CHECK(seen.count > 0);
    CHECK_EQ_INT(gale__mailbox_post(&again_box, note, NULL), GALE_EGONE);
}

TEST(mailbox, no_memory) {
    gale__mailbox_t m = {0};
    rig_alloc_begin(1, false);
    CHECK_EQ_INT(gale__mailbox_post(&m, note, NULL), UV_ENOMEM);
    CHECK_EQ_INT(gale__mailbox_post(&m, note, NULL), 1);
    gale__mailbox_close(&m);
    rig_alloc_end();
}

enum { POSTERS = 4, EACH = 2000 };
static gale__mailbox_t busy;
static unsigned next_of[POSTERS], wrong;
static atomic_uint refused, posters;

static void in_order(void *arg) {
    uintptr_t value = (uintptr_t)arg;
    unsigned who = (unsigned)(value / EACH), number = (unsigned)(value % EACH);
    wrong += number < next_of[who];
    next_of[who] = number + 1;
}

static void *poster(void *arg) {
    for (uintptr_t i = 0; i < EACH; i++) {
        int err = gale__mailbox_post(&busy, in_order, (void *)((uintptr_t)arg * EACH + i));
        if (err < 0) atomic_fetch_add(&refused, 1);
    }
    atomic_fetch_sub(&posters, 1);
    return NULL;
}

TEST(mailbox, each_threads_letters_keep_their_order) {
    pthread_t threads[POSTERS];
    atomic_store(&posters, POSTERS);
    for (uintptr_t i = 0; i < POSTERS; i++) {
        REQUIRE(pthread_create(&threads[i], NULL, poster, (void *)i) == 0);
    }
    while (atomic_load(&posters) > 0) gale__mailbox_run(&busy);
    for (int i = 0; i < POSTERS; i++) pthread_join(threads[i], NULL);
    gale__mailbox_close(&busy);
    CHECK_EQ_UINT(wrong, 0);
    CHECK_EQ_UINT(atomic_load(&refused), 0);
    for (int i = 0; i < POSTERS; i++) CHECK_EQ_UINT(next_of[i], EACH);
}
