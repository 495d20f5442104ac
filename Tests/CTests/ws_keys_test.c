/* Keys of frames: fresh, from one filling to the next (WS-19; RFC 6455 10.3). */
#include "ws_keys.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

static int compare(const void *a, const void *b) {
    uint32_t x, y;
    memcpy(&x, a, 4);
    memcpy(&y, b, 4);
    return x < y ? -1 : x > y;
}

TEST(ws_keys, none_comes_twice) {
    enum { MANY = GALE__WS_KEYS * 40 };
    static uint32_t all[MANY];
    static const uint8_t zero[4] = {0};
    gale__ws_keys_t a = {.left = 0}, b = {.left = 0};
    unsigned alike = 0, zeros = 0;
    for (int i = 0; i < MANY; i++) {
        uint8_t key[4];
        CHECK_EQ_INT(gale__ws_keys_next(i % 2 ? &a : &b, key), 0);
        memcpy(&all[i], key, 4);
        zeros += memcmp(key, zero, 4) == 0;
    }
    qsort(all, MANY, sizeof all[0], compare);
    for (int i = 1; i < MANY; i++) alike += all[i] == all[i - 1];
    CHECK(alike <= 3 && zeros <= 1); /* by chance: about 1 in 1300 runs has one pair */
}
