/* Tables of callbacks: those that are alike are one, and each is freed with its last socket. */
#include "ws_tables.h"

#include "rig_alloc.h"
#include "test.h"

static void one(gale_ws_t *ws, void *data) {
    (void)ws, (void)data;
}

static gale_ws_handler_t handler(void (*on_drain)(gale_ws_t *, void *), size_t other) {
    gale_ws_handler_t h = gale_ws_handler();
    h.on_drain = on_drain;
    h.struct_size = other; /* what tells it from the others here */
    return h;
}

TEST(ws_tables, alike_are_one) {
    gale__ws_tables_t t = {0};
    gale_ws_handler_t a = handler(one, 1), b = handler(NULL, 1), again = handler(one, 1);
    const gale_ws_handler_t *x = gale__ws_tables_take(&t, &a), *y = gale__ws_tables_take(&t, &b);
    CHECK(x != NULL && y != NULL && x != y);
    CHECK(gale__ws_tables_take(&t, &again) == x);
    CHECK(x->on_drain == one && y->on_drain == NULL);
    gale__ws_tables_drop(&t, x);
    CHECK(x->on_drain == one); /* somebody holds it */
    gale__ws_tables_drop(&t, y);
    gale__ws_tables_drop(&t, x);
    gale__ws_tables_drop(&t, NULL);
    CHECK(t.first == NULL);
}

TEST(ws_tables, more_than_are_looked_at) {
    enum { MANY = 100 };
    gale__ws_tables_t t = {0};
    const gale_ws_handler_t *all[MANY][2];
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < MANY; i++) {
            gale_ws_handler_t h = handler(one, i + 1);
            all[i][round] = gale__ws_tables_take(&t, &h);
            CHECK(all[i][round] != NULL && all[i][round]->struct_size == i + 1);
        }
    }
    for (size_t i = 0; i < MANY; i++) {
        CHECK(all[i][0]->struct_size == i + 1);
        gale__ws_tables_drop(&t, all[i][0]);
        CHECK(all[i][1]->struct_size == i + 1);
        gale__ws_tables_drop(&t, all[i][1]);
    }
    CHECK(t.first == NULL);
}

TEST(ws_tables, without_memory) {
    gale__ws_tables_t t = {0};
    gale_ws_handler_t h = handler(one, 1);
    rig_alloc_begin(1, true);
    CHECK(gale__ws_tables_take(&t, &h) == NULL);
    CHECK(rig_alloc_refused() && t.first == NULL);
    rig_alloc_end();
}
