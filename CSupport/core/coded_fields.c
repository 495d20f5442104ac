#include "coded_fields.h"

#include "compressible.h"
#include "str.h"

#define VARY_MORE ", Accept-Encoding"
enum { LONGEST = 1 << 20 }; /* longer ones are refused further on; until then nothing is read */

/* What a field means for coding. */
typedef enum {
    FIELD_OTHER,
    FIELD_TYPE,
    FIELD_LENGTH,
    FIELD_CACHE,
    FIELD_FORBIDS,
    FIELD_ETAG,
    FIELD_VARY,
    FIELD_RANGES
} field_t;

/* By length first: most names have the length of none of these. */
static field_t field_of(gale_str_t name) {
    static const struct {
        gale_str_t name;
        field_t field;
    } fields[] = {
        {{"ETag", 4}, FIELD_ETAG},
        {{"Vary", 4}, FIELD_VARY},
        {{"Digest", 6}, FIELD_FORBIDS},
        {{"Content-MD5", 11}, FIELD_FORBIDS},
        {{"Repr-Digest", 11}, FIELD_FORBIDS},
        {{"Content-Type", 12}, FIELD_TYPE},
        {{"Accept-Ranges", 13}, FIELD_RANGES},
        {{"Cache-Control", 13}, FIELD_CACHE},
        {{"Content-Range", 13}, FIELD_FORBIDS},
        {{"Content-Digest", 14}, FIELD_FORBIDS},
        {{"Content-Length", 14}, FIELD_LENGTH},
        {{"Content-Encoding", 16}, FIELD_FORBIDS},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (name.len == fields[i].name.len && gale__eq_nocase(name, fields[i].name))
            return fields[i].field;
    }
    return FIELD_OTHER;
}

gale__coded_fit_t gale__coded_fit(int status, const gale_header_t *h, size_t n, int64_t *length) {
    if (status < 200 || status == 204 || status == 205 || status == 206) return GALE__CODED_NEVER;
    gale__coded_fit_t fit = status == 304 ? GALE__CODED_GLADLY : GALE__CODED_FOREIGN;
    for (size_t i = 0; i < n; i++) {
        if (h[i].name.len > LONGEST || h[i].value.len > LONGEST) return GALE__CODED_NEVER;
        switch (field_of(h[i].name)) {
        case FIELD_FORBIDS:
            return GALE__CODED_NEVER;
        case FIELD_CACHE:
            if (gale__list_has(h[i].value, GALE__LIT("no-transform"))) return GALE__CODED_NEVER;
            break;
        case FIELD_TYPE:
            fit = gale__compressible(h[i].value) ? GALE__CODED_GLADLY : GALE__CODED_FOREIGN;
            break;
        case FIELD_LENGTH:
            if (!gale__parse_int64(h[i].value, length)) return GALE__CODED_NEVER;
            break;
        default:
            break;
        }
    }
    return fit;
}

size_t gale__coded_text(const gale_header_t *h, size_t n) {
    size_t size = 0;
    for (size_t i = 0; i < n; i++) {
        field_t field = field_of(h[i].name);
        if (field == FIELD_ETAG) size += h[i].value.len + 2;
        if (field == FIELD_VARY) size += h[i].value.len + sizeof VARY_MORE;
    }
    return size;
}

static bool has_vary(const gale_header_t *h, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (field_of(h[i].name) != FIELD_VARY) continue;
        if (gale__list_has(h[i].value, GALE__LIT("Accept-Encoding")) ||
            gale__list_has(h[i].value, GALE__LIT("*"))) {
            return true;
        }
    }
    return false;
}

/* Two texts one after the other, at *text. */
static gale_str_t join(char **text, gale_str_t a, gale_str_t b) {
    char *to = *text;
    if (a.len > 0) memcpy(to, a.ptr, a.len);
    if (b.len > 0) memcpy(to + a.len, b.ptr, b.len);
    *text += a.len + b.len;
    return gale_str(to, a.len + b.len);
}

static gale_str_t weak(char **text, gale_str_t etag) {
    bool strong = etag.len > 0 && etag.ptr[0] == '"';
    return strong ? join(text, GALE__LIT("W/"), etag) : etag;
}

size_t gale__coded_fields(int status, const gale_header_t *h, size_t n, gale__coding_t coding,
                          gale_header_t *out, char *text) {
    bool coded = coding != GALE__IDENTITY, vary = has_vary(h, n);
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        field_t field = field_of(h[i].name);
        if (coded && (field == FIELD_RANGES || field == FIELD_LENGTH)) continue;
        out[count] = h[i];
        if (coded && field == FIELD_ETAG) out[count].value = weak(&text, h[i].value);
        if (field == FIELD_VARY && !vary) {
            vary = true;
            gale_str_t more = GALE__LIT(VARY_MORE), had = gale__trim(h[i].value);
            out[count].value =
                had.len == 0 ? gale_str(more.ptr + 2, more.len - 2) : join(&text, had, more);
        }
        count++;
    }
    if (coded && status != 304) {
        out[count++] = (gale_header_t){GALE__LIT("Content-Encoding"), gale__coding_name(coding)};
    }
    if (!vary) {
        out[count++] = (gale_header_t){GALE__LIT("Vary"), GALE__LIT("Accept-Encoding")};
    }
    return count;
}
