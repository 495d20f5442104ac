/*
 * libFuzzer target of Accept-Encoding: weights stay in their range, the order of members makes no
 * difference, nothing that was refused or never named is chosen, and what is chosen has the highest
 * weight there is.
 */
#include <stdlib.h>
#include <string.h>

#include "accept.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) abort();                                                                 \
    } while (0)

static const gale__coding_t all[] = {GALE__BROTLI, GALE__ZSTD, GALE__GZIP, GALE__DEFLATE};

static void check(const gale__accept_t *a) {
    for (size_t i = 0; i < GALE__CODINGS; i++) MUST(a->weight[i] >= -1 && a->weight[i] <= 1000);
    MUST(a->others >= -1 && a->others <= 1000);
    gale__coding_t best = gale__accept_best(a, all, 4);
    int most = a->weight[GALE__IDENTITY];
    for (size_t i = 0; i < 4; i++) {
        int weight = a->weight[all[i]] < 0 ? a->others : a->weight[all[i]];
        if (all[i] == best) MUST(weight > 0);
        if (weight > most) most = weight;
    }
    if (best != GALE__IDENTITY)
        MUST(most == (a->weight[best] < 0 ? a->others : a->weight[best]));
    else
        MUST(most <= 0 || most == a->weight[GALE__IDENTITY]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *copy = malloc(size > 0 ? size : 1);
    MUST(copy != NULL);
    if (size > 0) memcpy(copy, data, size);
    gale__accept_t whole, split;
    gale__accept_init(&whole);
    gale__accept_add(&whole, gale_str(copy, size));
    check(&whole);
    /* Cut at each comma, last piece first. */
    gale__accept_init(&split);
    size_t end = size;
    for (size_t i = size; i-- > 0;) {
        if (copy[i] != ',') continue;
        gale__accept_add(&split, gale_str(copy + i + 1, end - i - 1));
        end = i;
    }
    gale__accept_add(&split, gale_str(copy, end));
    MUST(memcmp(&whole, &split, sizeof whole) == 0);
    free(copy);
    return 0;
}
