/*
 * Negotiation of content codings. One pass over the field: members end at commas, a weight is all
 * that may follow a name, and nothing of it can hold a quoted comma, so that a cut at commas is
 * exact here.
 *
 * Where the grammar is broken the doubt is for the side of identity, which every client can read: a
 * weight that is none must not send someone a coding.
 */
#include "accept.h"

#include "str.h"

enum { NOT_NAMED = -1, WHOLE = 1000 };

static const struct {
    gale_str_t name;
    gale__coding_t coding;
} names[] = {
    {{"identity", 8}, GALE__IDENTITY}, {{"gzip", 4}, GALE__GZIP}, {{"deflate", 7}, GALE__DEFLATE},
    {{"br", 2}, GALE__BROTLI},         {{"zstd", 4}, GALE__ZSTD}, {{"x-gzip", 6}, GALE__GZIP},
};

gale_str_t gale__coding_name(gale__coding_t coding) {
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (names[i].coding == coding) return names[i].name;
    }
    return names[0].name;
}

bool gale__coding_named(gale_str_t name, gale__coding_t *out) {
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!gale__eq_nocase(name, names[i].name)) continue;
        *out = names[i].coding;
        return true;
    }
    return false;
}

void gale__accept_init(gale__accept_t *a) {
    for (size_t i = 0; i < GALE__CODINGS; i++) a->weight[i] = NOT_NAMED;
    a->others = NOT_NAMED;
}

/* qvalue (RFC 9110 12.4.2) in thousandths: "0" or "1", then up to three decimals; -1 if it is none.
 */
static int qvalue(gale_str_t s) {
    if (s.len == 0 || s.len > 5 || (s.ptr[0] != '0' && s.ptr[0] != '1')) return -1;
    if (s.len > 1 && s.ptr[1] != '.') return -1;
    int value = (s.ptr[0] - '0') * WHOLE, unit = 100;
    for (size_t i = 2; i < s.len; i++, unit /= 10) {
        if (!gale__is((uint8_t)s.ptr[i], GALE__DIGIT)) return -1;
        value += (s.ptr[i] - '0') * unit;
    }
    return value > WHOLE ? -1 : value;
}

/* What follows the semicolon: "q=0.5", with blanks before it; -1 for anything else. */
static int weight_of(gale_str_t s) {
    s = gale__trim(s);
    if (s.len < 2 || (s.ptr[0] != 'q' && s.ptr[0] != 'Q') || s.ptr[1] != '=') return -1;
    return qvalue(gale_str(s.ptr + 2, s.len - 2));
}

/* A coding named twice is worth the lesser of its weights. */
static void lower(int16_t *weight, int value) {
    if (*weight == NOT_NAMED || value < *weight) *weight = (int16_t)value;
}

static void add_member(gale__accept_t *a, gale_str_t member) {
    int weight = WHOLE;
    const char *semicolon = member.len > 0 ? memchr(member.ptr, ';', member.len) : NULL;
    if (semicolon != NULL) {
        size_t at = (size_t)(semicolon - member.ptr);
        weight = weight_of(gale_str(semicolon + 1, member.len - at - 1));
        member.len = at;
    }
    member = gale__trim(member);
    if (weight < 0) return;
    if (gale__eq(member, GALE__LIT("*"))) {
        lower(&a->others, weight);
        return;
    }
    gale__coding_t coding;
    if (gale__coding_named(member, &coding)) lower(&a->weight[coding], weight);
}

void gale__accept_add(gale__accept_t *a, gale_str_t value) {
    while (value.len > 0) {
        const char *comma = memchr(value.ptr, ',', value.len);
        size_t len = comma != NULL ? (size_t)(comma - value.ptr) : value.len;
        add_member(a, gale_str(value.ptr, len));
        if (comma == NULL) return;
        value = gale_str(comma + 1, value.len - len - 1);
    }
}

gale__coding_t gale__accept_best(const gale__accept_t *a, const gale__coding_t *offered,
                                 size_t count) {
    gale__coding_t best = GALE__IDENTITY;
    /* "*" speaks for identity only where it refuses: a browser's "gzip, *;q=0.1" would not rather
     * have it plain. */
    int most = a->weight[GALE__IDENTITY] > 0 ? a->weight[GALE__IDENTITY] : 0;
    bool plain = true; /* an equal weight goes to the coding: who names both means "compress" */
    for (size_t i = 0; i < count; i++) {
        int weight = a->weight[offered[i]];
        if (weight == NOT_NAMED) weight = a->others;
        if (offered[i] == GALE__IDENTITY || weight <= 0) continue;
        if (weight > most || (plain && weight == most)) {
            best = offered[i];
            most = weight;
            plain = false;
        }
    }
    return best;
}

bool gale__accept_refuses_plain(const gale__accept_t *a) {
    int weight = a->weight[GALE__IDENTITY];
    return weight == 0 || (weight == NOT_NAMED && a->others == 0);
}

void gale__accept_fields(gale__accept_t *a, const gale_header_t *fields, size_t count) {
    gale__accept_init(a);
    for (size_t i = 0; i < count; i++) {
        if (gale__eq_nocase(fields[i].name, GALE__LIT("Accept-Encoding")))
            gale__accept_add(a, fields[i].value);
    }
}

gale__coding_t gale__accept_encoding(const gale_header_t *fields, size_t field_count,
                                     const gale__coding_t *offered, size_t count) {
    gale__accept_t a;
    gale__accept_fields(&a, fields, field_count);
    return gale__accept_best(&a, offered, count);
}
