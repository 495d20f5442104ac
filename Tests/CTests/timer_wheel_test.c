/*
 * Timer wheel: against a model that looks at every entry, and the promises of timer_wheel.h one by
 * one: never early, at most a tick late, moves that cost nothing, deadlines beyond one turn, clocks
 * that jump.
 */
#include "timer_wheel.h"

#include <stdlib.h>

#include "test.h"

enum { TICK = GALE__WHEEL_TICK_MS, TURN = GALE__WHEEL_SLOTS * GALE__WHEEL_TICK_MS };

static gale__wheel_t wheel;

static uint64_t random_state = 1;
static uint64_t random_below(uint64_t n) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (random_state >> 33) % n;
}

/* When a single entry fires, looked at every millisecond from `from` to `to`; 0: not at all. */
static uint64_t fires_at(gale__wheel_t *w, uint64_t from, uint64_t to) {
    for (uint64_t now = from; now <= to; now++) {
        if (gale__wheel_expired(w, now) != NULL) return now;
    }
    return 0;
}

TEST(timer_wheel, empty) {
    gale__wheel_init(&wheel, 1000);
    CHECK_EQ_INT(gale__wheel_next(&wheel, 1000), -1);
    CHECK(gale__wheel_expired(&wheel, 1000) == NULL);
    CHECK(gale__wheel_expired(&wheel, 1000000) == NULL);
    gale__wheel_entry_t never = {0};
    gale__wheel_remove(&wheel, &never);
    CHECK_EQ_UINT(wheel.count, 0);
}

TEST(timer_wheel, never_early_at_most_a_tick_late) {
    for (uint64_t start = 0; start < 2 * TICK; start += 13) {
        for (uint64_t ms = 1; ms < 3 * TURN; ms += 1 + ms / 3) {
            gale__wheel_entry_t e = {0};
            gale__wheel_init(&wheel, start);
            gale__wheel_set(&wheel, &e, start + ms);
            uint64_t at = fires_at(&wheel, start, start + ms + TICK);
            CHECK_MSG(at >= start + ms && at < start + ms + TICK, "start %llu ms %llu: at %llu",
                      (unsigned long long)start, (unsigned long long)ms, (unsigned long long)at);
            CHECK(e.next == NULL && e.prev == NULL && e.deadline == 0);
            CHECK_EQ_INT(gale__wheel_next(&wheel, at), -1);
        }
    }
}

TEST(timer_wheel, a_deadline_in_the_past_fires_within_a_tick) {
    gale__wheel_entry_t e = {0};
    gale__wheel_init(&wheel, 100 * TICK + 5);
    gale__wheel_set(&wheel, &e, 3);
    uint64_t now = 100 * TICK + 5;
    CHECK(gale__wheel_next(&wheel, now) <= TICK);
    uint64_t at = fires_at(&wheel, now, now + TICK);
    CHECK(at > 0);
}

TEST(timer_wheel, moving_later_only_stores) {
    gale__wheel_entry_t e = {0};
    gale__wheel_init(&wheel, 0);
    gale__wheel_set(&wheel, &e, 1000);
    uint64_t slot = e.slot_tick;
    for (uint64_t d = 1000; d < 20000; d += 7) gale__wheel_set(&wheel, &e, d);
    CHECK_EQ_UINT(e.slot_tick, slot);
    CHECK_EQ_UINT(wheel.count, 1);
    /* The wheel wakes for the old slot, finds nothing, and goes on. */
    CHECK_EQ_INT(gale__wheel_next(&wheel, 0), 1024);
    CHECK(gale__wheel_expired(&wheel, 1024) == NULL);
    CHECK_EQ_UINT(e.deadline, 19998);
    CHECK_EQ_INT(gale__wheel_next(&wheel, 1024), 20032 - 1024);
    CHECK(gale__wheel_expired(&wheel, 20031) == NULL);
    CHECK(gale__wheel_expired(&wheel, 20032) == &e);
}

TEST(timer_wheel, moving_earlier_takes_effect) {
    gale__wheel_entry_t e = {0};
    gale__wheel_init(&wheel, 0);
    gale__wheel_set(&wheel, &e, 30000);
    gale__wheel_set(&wheel, &e, 100);
    CHECK_EQ_INT(gale__wheel_next(&wheel, 0), 128);
    CHECK(gale__wheel_expired(&wheel, 127) == NULL);
    CHECK(gale__wheel_expired(&wheel, 128) == &e);
    CHECK(gale__wheel_expired(&wheel, 128) == NULL);
}

TEST(timer_wheel, remove_and_zero) {
    gale__wheel_entry_t a = {0}, b = {0};
    gale__wheel_init(&wheel, 0);
    gale__wheel_set(&wheel, &a, 100);
    gale__wheel_set(&wheel, &b, 100);
    gale__wheel_remove(&wheel, &a);
    gale__wheel_remove(&wheel, &a);
    CHECK(a.next == NULL && a.deadline == 0);
    CHECK_EQ_UINT(wheel.count, 1);
    gale__wheel_set(&wheel, &b, 0);
    CHECK_EQ_INT(gale__wheel_next(&wheel, 0), -1);
    CHECK(gale__wheel_expired(&wheel, 1000) == NULL);
    gale__wheel_set(&wheel, &a, 1500);
    CHECK(gale__wheel_expired(&wheel, 1600) == &a);
}

TEST(timer_wheel, clock_jumps_and_goes_back) {
    gale__wheel_entry_t e[3] = {{0}};
    gale__wheel_init(&wheel, 5000);
    gale__wheel_set(&wheel, &e[0], 6000);
    gale__wheel_set(&wheel, &e[1], 5000 + 10 * (uint64_t)TURN);
    gale__wheel_set(&wheel, &e[2], UINT64_MAX);
    CHECK(gale__wheel_expired(&wheel, 4000) == NULL);
    CHECK(gale__wheel_expired(&wheel, 5000 + 9 * (uint64_t)TURN) == &e[0]);
    CHECK(gale__wheel_expired(&wheel, 5000 + 9 * (uint64_t)TURN) == NULL);
    CHECK(gale__wheel_expired(&wheel, 0) == NULL);
    CHECK(gale__wheel_expired(&wheel, 5000 + 11 * (uint64_t)TURN) == &e[1]);
    CHECK(gale__wheel_expired(&wheel, (uint64_t)1 << 40) == NULL);
    CHECK_EQ_UINT(e[2].deadline, UINT64_MAX);
    CHECK_EQ_UINT(wheel.count, 1);
}

TEST(timer_wheel, set_again_from_within_the_drain) {
    gale__wheel_entry_t e[2] = {{0}};
    gale__wheel_init(&wheel, 0);
    gale__wheel_set(&wheel, &e[0], 10);
    gale__wheel_set(&wheel, &e[1], 10);
    gale__wheel_entry_t *first = gale__wheel_expired(&wheel, 64);
    CHECK(first == &e[0]);
    gale__wheel_set(&wheel, first, 100);
    CHECK(gale__wheel_expired(&wheel, 64) == &e[1]);
    CHECK(gale__wheel_expired(&wheel, 64) == NULL);
    CHECK(gale__wheel_expired(&wheel, 128) == &e[0]);
}

/* Random sets, moves, removals and steps of the clock; `due` is what the model knows. */
static void model_step(gale__wheel_entry_t *e, uint64_t *due, size_t n, uint64_t now) {
    size_t i = random_below(n);
    uint64_t span = random_below(4) == 0 ? 4 * (uint64_t)TURN : 3000;
    if (random_below(5) == 0) {
        gale__wheel_remove(&wheel, &e[i]);
        due[i] = 0;
    } else {
        due[i] = now + 1 + random_below(span);
        gale__wheel_set(&wheel, &e[i], due[i]);
    }
}

TEST(timer_wheel, agrees_with_a_model) {
    enum { N = 200 };
    static gale__wheel_entry_t e[N];
    static uint64_t due[N];
    uint64_t now = 77, fired_total = 0;
    memset(e, 0, sizeof e);
    memset(due, 0, sizeof due);
    gale__wheel_init(&wheel, now);
    for (int round = 0; round < 20000; round++) {
        for (uint64_t k = random_below(4); k > 0; k--) model_step(e, due, N, now);
        now += random_below(50) == 0 ? random_below(3 * TURN) : random_below(200);
        for (gale__wheel_entry_t *x; (x = gale__wheel_expired(&wheel, now)) != NULL;) {
            size_t i = (size_t)(x - e);
            CHECK_MSG(due[i] != 0 && due[i] <= now, "early or unknown: entry %zu", i);
            due[i] = 0;
            fired_total++;
        }
        size_t live = 0;
        int64_t next = gale__wheel_next(&wheel, now);
        for (size_t i = 0; i < N; i++) {
            live += due[i] != 0;
            if (due[i] == 0) continue;
            CHECK_MSG(due[i] + TICK > now, "late: entry %zu", i);
            CHECK_MSG(next >= 0 && now + (uint64_t)next < due[i] + TICK, "sleeps past entry %zu",
                      i);
        }
        CHECK_EQ_UINT(wheel.count, live);
    }
    CHECK(fired_total > 1000);
}
