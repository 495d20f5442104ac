#include "tally.h"

#include "mem.h"

bool gale__tally_init(gale__tally_t *t, gale__sip_key_t secret, uint32_t capacity) {
    uint32_t buckets = 1;
    while (buckets < capacity && buckets < 1u << 31) buckets *= 2;
    *t = (gale__tally_t){.secret = secret, .capacity = capacity, .mask = buckets - 1};
    t->buckets = gale__calloc(buckets, sizeof *t->buckets);
    t->places = gale__calloc((size_t)capacity + 1, sizeof *t->places);
    if (t->buckets != NULL && t->places != NULL) return true;
    gale__tally_free(t);
    return false;
}

void gale__tally_free(gale__tally_t *t) {
    gale__free(t->buckets);
    gale__free(t->places);
    *t = (gale__tally_t){0};
}

static uint32_t *bucket_of(gale__tally_t *t, uint64_t key) {
    gale_str_t bytes = gale_str((const char *)&key, sizeof key);
    return &t->buckets[(uint32_t)gale__siphash(t->secret, bytes) & t->mask];
}

/* A place nobody has; 0 when all are taken. */
static uint32_t take_place(gale__tally_t *t) {
    uint32_t place = t->free;
    if (place != 0) {
        t->free = t->places[place].next;
        return place;
    }
    return t->used == t->capacity ? 0 : ++t->used;
}

uint32_t gale__tally_add(gale__tally_t *t, uint64_t key, uint32_t limit) {
    uint32_t *bucket = bucket_of(t, key), place = *bucket;
    while (place != 0 && t->places[place].key != key) place = t->places[place].next;
    if (limit == 0 || (place != 0 && t->places[place].count >= limit)) return 0;
    if (place == 0) {
        place = take_place(t);
        if (place == 0) return 0;
        t->places[place] = (gale__tally_place_t){.key = key, .next = *bucket};
        *bucket = place;
    }
    t->places[place].count++;
    return place;
}

void gale__tally_drop(gale__tally_t *t, uint32_t place) {
    gale__tally_place_t *p = &t->places[place];
    if (--p->count > 0) return;
    uint32_t *link = bucket_of(t, p->key);
    while (*link != place) link = &t->places[*link].next;
    *link = p->next;
    p->next = t->free;
    t->free = place;
}
