/*
 * See multipart.h. Data is searched for "\r\n--boundary". As CR is no byte of a boundary, a match
 * that fails can't hold the start of another one: what it has passed is data, and the search goes
 * on where it failed. So no byte is looked at twice but for those behind a CR, and a delimiter that
 * is cut in two by the network needs no buffer: what was seen of it is known.
 *
 * Strict where leniency would let two parsers see different parts in one body: bare CR and LF in
 * headers, folding, names or file names that come twice, anything but blanks between a boundary and
 * its line end, transfer encodings that would have to be undone (RFC 7578 4.7).
 */
#include "multipart.h"

#include "header_params.h"
#include "str.h"
#include "utf8.h"

enum { START, HEADERS, BODY, LINE_END, LINE_PAD, LINE_LF, LINE_DASH, EPILOGUE, OVER, FAILED };

bool gale__is_boundary(gale_str_t b) {
    if (b.len == 0 || b.len > GALE__BOUNDARY_MAX || b.ptr[b.len - 1] == ' ') return false;
    for (size_t i = 0; i < b.len; i++) {
        uint8_t c = (uint8_t)b.ptr[i];
        bool alnum = (uint8_t)(c - '0') < 10 || (uint8_t)((c | 0x20) - 'a') < 26;
        if (!alnum && (c == 0 || strchr("'()+_,-./:=? ", c) == NULL)) return false;
    }
    return true;
}

void gale__multipart_init(gale__multipart_t *m, const gale__multipart_limits_t *limits,
                          gale_str_t boundary, char *room) {
    memset(m, 0, sizeof *m);
    m->limits = *limits;
    if (m->limits.max_headers > GALE__PART_HEADERS) m->limits.max_headers = GALE__PART_HEADERS;
    m->room = room;
    m->state = START;
    memcpy(m->delimiter, "\r\n--", 4);
    memcpy(m->delimiter + 4, boundary.ptr, boundary.len);
    m->delimiter_len = (uint8_t)(4 + boundary.len);
    m->matched = m->unreal = 2;
}

static int fail(gale__multipart_t *m, int status, const char *error) {
    m->state = FAILED;
    m->status = status;
    m->error = error;
    return GALE__MULTIPART_ERROR;
}

/* -------------------------------------------------------------------------------------- headers */

/* A line of the header block, without its CRLF. */
static bool take_line(gale__multipart_t *m, gale_str_t line) {
    const char *colon = memchr(line.ptr, ':', line.len);
    if (colon == NULL) return false;
    size_t name_len = (size_t)(colon - line.ptr);
    gale_header_t h = {gale_str(line.ptr, name_len),
                       gale__trim(gale_str(colon + 1, line.len - name_len - 1))};
    m->part.headers[m->part.header_count++] = h;
    return gale__is_token(h.name) && gale__is_field_value(h.value);
}

/* The one header of this name; ptr null if there is none. False when there are several. */
static bool only(const gale__part_head_t *p, gale_str_t name, gale_str_t *value) {
    *value = gale_str(NULL, 0);
    for (uint32_t i = 0; i < p->header_count; i++) {
        if (!gale__eq_nocase(p->headers[i].name, name)) continue;
        if (value->ptr != NULL) return false;
        *value = p->headers[i].value;
    }
    return true;
}

static bool is_identity(gale_str_t encoding) {
    return encoding.ptr == NULL || gale__eq_nocase(encoding, GALE__LIT("binary")) ||
           gale__eq_nocase(encoding, GALE__LIT("8bit")) ||
           gale__eq_nocase(encoding, GALE__LIT("7bit"));
}

/* A parameter of Content-Disposition, decoded behind the header bytes. False when malformed. */
static bool decode(gale__multipart_t *m, gale_str_t field, gale_str_t name, size_t *used,
                   gale_str_t *out) {
    char *to = m->room + *used;
    int len = gale__param_get(field, name, GALE__PARAM_FORM, to,
                              gale__multipart_room(&m->limits) - *used);
    *out = gale_str(to, len > 0 ? (size_t)len : 0);
    *used += out->len;
    return len >= 0 || len == GALE__PARAM_NONE;
}

/* The header block is complete. */
static int begin_part(gale__multipart_t *m) {
    gale__part_head_t *p = &m->part;
    gale_str_t disposition, kind, encoding, rest;
    size_t used = m->room_len;
    if (!gale__utf8_valid(m->room, m->room_len)) return fail(m, 400, "a part header is no UTF-8");
    if (!only(p, GALE__LIT("Content-Disposition"), &disposition) ||
        !only(p, GALE__LIT("Content-Type"), &p->content_type) ||
        !only(p, GALE__LIT("Content-Transfer-Encoding"), &encoding)) {
        return fail(m, 400, "a part has a header twice");
    }
    rest = disposition;
    if (!gale__params_begin(&rest, &kind) || !gale__eq_nocase(kind, GALE__LIT("form-data"))) {
        return fail(m, 400, "a part is no form-data");
    }
    if (!decode(m, disposition, GALE__LIT("name"), &used, &p->name) ||
        !decode(m, disposition, GALE__LIT("filename"), &used, &p->filename)) {
        return fail(m, 400, "a part has a malformed Content-Disposition");
    }
    if (p->name.len == 0) return fail(m, 400, "a part has no name");
    if (!is_identity(encoding)) return fail(m, 400, "a part has a transfer encoding");
    m->state = BODY;
    m->in_part = true;
    m->part_bytes = 0;
    m->matched = m->unreal = 2; /* an empty part may do without the CRLF of its delimiter */
    return GALE__MULTIPART_PART;
}

/* Takes bytes up to the end of a line into the room. */
static int feed_headers(gale__multipart_t *m, gale_str_t bytes, size_t *pos) {
    const char *start = bytes.ptr + *pos, *lf = memchr(start, '\n', bytes.len - *pos);
    if (m->room_len == 0) m->part.header_count = 0;
    size_t n = lf == NULL ? bytes.len - *pos : (size_t)(lf - start) + 1;
    if (n > m->limits.max_header_bytes - m->room_len) {
        return fail(m, 400, "the headers of a part are too large");
    }
    memcpy(m->room + m->room_len, start, n);
    m->room_len += (uint32_t)n;
    *pos += n;
    if (lf == NULL) return GALE__MULTIPART_MORE;
    gale_str_t line = gale_str(m->room + m->line, m->room_len - m->line);
    if (line.len < 2 || line.ptr[line.len - 2] != '\r') {
        return fail(m, 400, "a line of a part's headers does not end with CR LF");
    }
    m->line = m->room_len;
    if (line.len == 2) return begin_part(m);
    if (m->part.header_count == m->limits.max_headers) {
        return fail(m, 400, "a part has too many headers");
    }
    if (!take_line(m, gale_str(line.ptr, line.len - 2))) {
        return fail(m, 400, "a part has a malformed header");
    }
    return GALE__MULTIPART_MORE;
}

/* ------------------------------------------------------------------------------------------ data */

/* Gives data as far as the limit allows; what is over it fails with the next call, so that the same
 * bytes come out however they came in. */
static int give(gale__multipart_t *m, const char *ptr, size_t n, gale_str_t *data) {
    uint64_t left = m->limits.max_part_bytes - m->part_bytes;
    if (n > left) m->state = OVER;
    if (n > left) n = (size_t)left;
    m->part_bytes += n;
    *data = gale_str(ptr, n);
    return n > 0 ? GALE__MULTIPART_DATA : fail(m, 413, "a part is too large");
}

/* Goes on with a delimiter that has begun. False when the bytes end first or it is none. */
static bool match_on(gale__multipart_t *m, gale_str_t bytes, size_t *pos) {
    while (m->matched < m->delimiter_len && *pos < bytes.len &&
           bytes.ptr[*pos] == m->delimiter[m->matched]) {
        m->matched++;
        (*pos)++;
    }
    return m->matched == m->delimiter_len;
}

/* Where the next delimiter begins or may begin; bytes.len if it doesn't. Runs of CR and of
 * CR LF are walked without calling memchr for each. */
static size_t search(const gale__multipart_t *m, gale_str_t bytes, size_t from) {
    const char *p = bytes.ptr + from, *end = bytes.ptr + bytes.len;
    while (p < end) {
        if (*p != '\r' && (p = memchr(p, '\r', (size_t)(end - p))) == NULL) break;
        size_t left = (size_t)(end - p), n = left < m->delimiter_len ? left : m->delimiter_len;
        bool likely = left < 3 || (p[1] == '\n' && p[2] == '-');
        if (likely && memcmp(p, m->delimiter, n) == 0) return (size_t)(p - bytes.ptr);
        p += left > 1 && p[1] == '\n' ? 2 : 1;
    }
    return bytes.len;
}

static int feed_body(gale__multipart_t *m, gale_str_t bytes, size_t *pos, gale_str_t *data) {
    if (m->matched > 0) {
        if (match_on(m, bytes, pos)) {
            m->state = LINE_END;
            return GALE__MULTIPART_MORE;
        }
        if (*pos == bytes.len) return GALE__MULTIPART_MORE;
        size_t seen = (size_t)(m->matched - m->unreal);
        const char *start = m->delimiter + m->unreal;
        m->matched = m->unreal = 0;
        if (seen > 0) return give(m, start, seen, data);
    }
    size_t start = *pos;
    *pos = search(m, bytes, start);
    size_t n = *pos - start;
    match_on(m, bytes, pos);
    return n > 0 ? give(m, bytes.ptr + start, n, data) : GALE__MULTIPART_MORE;
}

/* --------------------------------------------------------------------------------------- between */

/* The first delimiter; its CRLF may be there, anything before it may not (HU-14). */
static int feed_start(gale__multipart_t *m, gale_str_t bytes, size_t *pos) {
    if (m->matched == 2 && m->unreal == 2 && bytes.ptr[*pos] == '\r') m->matched = 0;
    m->unreal = 0;
    if (match_on(m, bytes, pos)) {
        m->state = LINE_END;
    } else if (*pos < bytes.len) {
        return fail(m, 400, "the body does not begin with its boundary");
    }
    return GALE__MULTIPART_MORE;
}

static int end_part(gale__multipart_t *m, uint8_t state) {
    m->state = state;
    m->matched = m->unreal = 0;
    m->room_len = m->line = 0;
    bool was = m->in_part;
    m->in_part = false;
    return was ? GALE__MULTIPART_PART_END : GALE__MULTIPART_MORE;
}

/* What follows a boundary: the line's end, or "--". */
static int feed_line(gale__multipart_t *m, char c) {
    switch (m->state) {
    case LINE_END:
        if (c == '-') {
            m->state = LINE_DASH;
            return GALE__MULTIPART_MORE;
        }
        __attribute__((fallthrough));
    case LINE_PAD: /* transport padding (RFC 2046 5.1.1) */
        m->state = c == '\r' ? LINE_LF : LINE_PAD;
        if (c == '\r' || c == ' ' || c == '\t') return GALE__MULTIPART_MORE;
        break;
    case LINE_LF:
        if (c != '\n') break;
        if (m->parts == m->limits.max_parts) return fail(m, 400, "too many parts");
        m->parts++;
        return end_part(m, HEADERS);
    default: /* LINE_DASH */
        if (c == '-') return end_part(m, EPILOGUE);
    }
    return fail(m, 400, "a boundary is followed by something else than the end of its line");
}

static int step(gale__multipart_t *m, gale_str_t bytes, size_t *pos, gale_str_t *data) {
    switch (m->state) {
    case START:
        return feed_start(m, bytes, pos);
    case HEADERS:
        return feed_headers(m, bytes, pos);
    case BODY:
        return feed_body(m, bytes, pos, data);
    case OVER:
        return fail(m, 413, "a part is too large");
    case EPILOGUE:
        *pos = bytes.len;
        return GALE__MULTIPART_MORE;
    case FAILED:
        return GALE__MULTIPART_ERROR;
    default:
        return feed_line(m, bytes.ptr[(*pos)++]);
    }
}

int gale__multipart_next(gale__multipart_t *m, gale_str_t bytes, size_t *pos, gale_str_t *data) {
    uint64_t left = m->limits.max_bytes - m->bytes;
    bool over = bytes.len - *pos > left;
    if (over) bytes.len = *pos + (size_t)left;
    int event = m->state == FAILED ? GALE__MULTIPART_ERROR : GALE__MULTIPART_MORE;
    size_t start = *pos;
    while (event == GALE__MULTIPART_MORE && (*pos < bytes.len || m->state == OVER)) {
        event = step(m, bytes, pos, data);
    }
    m->bytes += *pos - start;
    if (event == GALE__MULTIPART_MORE && over) return fail(m, 413, "the body is too large");
    return event;
}

int gale__multipart_finish(gale__multipart_t *m) {
    if (m->state == EPILOGUE) return GALE__MULTIPART_END;
    if (m->state == FAILED) return GALE__MULTIPART_ERROR;
    if (m->state == OVER) return fail(m, 413, "a part is too large");
    return fail(m, 400, "the body ends before its final boundary");
}
