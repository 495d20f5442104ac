/*
 * The order in which preconditions count (RFC 9110 13.2.2; STA-06, WEB-26): If-Match, else
 * If-Unmodified-Since; then If-None-Match, else If-Modified-Since; then Range with If-Range. A date
 * that is none is as good as absent, an If-Range that is neither tag nor date holds for nothing.
 */
#include "conditions.h"

#include "date.h"
#include "etag.h"
#include "str.h"

typedef struct {
    bool has_match, match, has_none_match, none_match;
    bool has_since, since; /* If-Modified-Since: there is a date; nothing changed after it */
    bool has_until, until; /* If-Unmodified-Since: the same */
    unsigned sinces, untils, ranges, if_ranges;
    bool if_range;
    gale_str_t range;
} asked_t;

static bool unchanged_since(gale_str_t date, const gale__validators_t *v, bool *is_date) {
    int64_t t;
    *is_date = v->modified != INT64_MIN && gale__parse_date(date, &t);
    return *is_date && v->modified <= t;
}

/* Strong comparison, and for dates the same date, not a later one (RFC 9110 13.1.5). */
static bool same_as(gale_str_t if_range, const gale__validators_t *v) {
    int64_t t;
    if (if_range.len > 0 && (if_range.ptr[0] == '"' || if_range.ptr[0] == 'W')) {
        if (gale__eq(if_range, v->etag)) return if_range.ptr[0] == '"';
        if (if_range.ptr[0] == '"') return false;
    }
    return gale__parse_date(if_range, &t) && t == v->modified && v->modified < v->now;
}

static void look_at(asked_t *a, const gale_header_t *f, const gale__validators_t *v) {
    switch (f->name.len) {
    case 5:
        if (!gale__eq_nocase(f->name, GALE__LIT("Range"))) return;
        a->range = f->value;
        a->ranges++;
        return;
    case 8:
        if (gale__eq_nocase(f->name, GALE__LIT("If-Match"))) { /* a list may come in pieces */
            a->has_match = true;
            a->match |= gale__etag_matches_strongly(f->value, v->etag);
        } else if (gale__eq_nocase(f->name, GALE__LIT("If-Range"))) {
            a->if_ranges++;
            a->if_range = same_as(gale__trim(f->value), v);
        }
        return;
    case 13:
        if (!gale__eq_nocase(f->name, GALE__LIT("If-None-Match"))) return;
        a->has_none_match = true;
        a->none_match |= gale__etag_matches(f->value, v->etag);
        return;
    case 17:
        if (!gale__eq_nocase(f->name, GALE__LIT("If-Modified-Since"))) return;
        a->since = unchanged_since(f->value, v, &a->has_since);
        a->sinces++;
        return;
    case 19:
        if (!gale__eq_nocase(f->name, GALE__LIT("If-Unmodified-Since"))) return;
        a->until = unchanged_since(f->value, v, &a->has_until);
        a->untils++;
        return;
    default:
        return;
    }
}

int gale__conditions(const gale_header_t *fields, size_t count, const gale__validators_t *v,
                     gale_str_t *range) {
    asked_t a = {0};
    for (size_t i = 0; i < count; i++) look_at(&a, &fields[i], v);
    *range = gale_str(NULL, 0);
    /* None of these four is a list: two of one name are malformed, and ignored or failed. */
    a.has_since = a.has_since && a.sinces == 1;
    a.has_until = a.has_until && a.untils == 1;
    if (a.has_match ? !a.match : a.has_until && !a.until) return 412;
    if (a.has_none_match ? a.none_match : a.has_since && a.since) return 304;
    if (a.ranges == 1 && (a.if_ranges == 0 || (a.if_ranges == 1 && a.if_range))) *range = a.range;
    return 0;
}
