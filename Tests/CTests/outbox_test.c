/* The outbox: what is merged, what is full, and what is left when the system takes a part. */
#include "outbox.h"

#include <stdlib.h>

#include "rig.h"
#include "rig_alloc.h"

static gale__outbox_t *new_outbox(void) {
    gale__outbox_t *o = calloc(1, sizeof *o);
    if (o == NULL) abort();
    return o;
}

static void put(gale__outbox_t *o, const char *text) {
    char *room = gale__outbox_room(o, strlen(text));
    REQUIRE(room != NULL);
    memcpy(room, text, strlen(text));
    gale__outbox_commit(o, strlen(text));
}

static void check_left(const gale__backlog_t *b, const char *want) {
    rig_text_t all = {0};
    size_t bytes = 0;
    for (uint32_t i = 0; i < b->parts; i++) {
        rig_text_add(&all, gale_str(b->part[i].base, b->part[i].len));
        bytes += b->part[i].len;
    }
    CHECK_EQ_STRS(gale_str(all.text, all.len), gale_cstr(want));
    CHECK_EQ_UINT(b->bytes, bytes);
    rig_text_free(&all);
}

TEST(outbox, neighbours_in_the_arena_are_one_part) {
    gale__outbox_t *o = new_outbox();
    unsigned freed = 0;
    put(o, "ab");
    put(o, "cd");
    CHECK_EQ_UINT(o->parts, 1);
    CHECK(gale__outbox_add(o, rig_buf("owned", 5, &freed)));
    put(o, "ef");
    CHECK_EQ_UINT(o->parts, 3);
    CHECK_EQ_UINT(o->bytes, 11);
    gale__outbox_clear(o);
    CHECK_EQ_UINT(freed, 1);
    CHECK_EQ_UINT(o->bytes + o->parts + o->owned + o->arena_used, 0);
    free(o);
}

TEST(outbox, full_in_every_way) {
    gale__outbox_t *o = new_outbox();
    unsigned freed = 0, added = 0;
    CHECK(gale__outbox_room(o, GALE__OUT_ARENA) != NULL);
    CHECK(gale__outbox_room(o, GALE__OUT_ARENA + 1) == NULL);
    while (gale__outbox_add(o, rig_buf("x", 1, &freed))) added++;
    CHECK_EQ_UINT(added, GALE__OUT_OWNED);
    while (gale__outbox_borrow(o, gale_str("y", 1))) added++;
    CHECK_EQ_UINT(added, GALE__OUT_PARTS);
    CHECK(gale__outbox_room(o, 1) == NULL);
    gale__outbox_clear(o);
    CHECK_EQ_UINT(freed, GALE__OUT_OWNED);
    free(o);
}

/* Whatever number of bytes is taken: what is left is the rest, and outlives arena and lender. */
TEST(outbox, a_backlog_holds_the_rest_of_every_cut) {
    static const char want[] = "arena|owned bytes|tail|borrowed";
    for (size_t sent = 0; sent < sizeof want - 1; sent++) {
        gale__outbox_t *o = new_outbox();
        char lent[] = "borrowed";
        unsigned freed = 0;
        put(o, "arena|");
        CHECK(gale__outbox_add(o, rig_buf("owned bytes", 11, &freed)));
        put(o, "|tail|");
        CHECK(gale__outbox_borrow(o, gale_str(lent, 8)));
        gale__backlog_t *b = gale__outbox_backlog(o, sent);
        REQUIRE(b != NULL);
        memset(lent, '!', 8);
        memset(o->arena, '!', sizeof o->arena);
        CHECK_EQ_UINT(o->bytes, 0);
        free(o);
        check_left(b, want + sent);
        CHECK_EQ_UINT(freed, 0);
        gale__backlog_free(b);
        CHECK_EQ_UINT(freed, 1);
    }
}

TEST(outbox, without_memory_all_is_freed) {
    gale__outbox_t *o = new_outbox();
    unsigned freed = 0;
    rig_alloc_begin(1, true);
    put(o, "head");
    CHECK(gale__outbox_add(o, rig_buf("owned", 5, &freed)));
    CHECK(gale__outbox_backlog(o, 2) == NULL);
    CHECK_EQ_UINT(freed, 1);
    CHECK_EQ_UINT(o->bytes, 0);
    rig_alloc_end();
    free(o);
}
