/*
 * The chunked transfer coding (RFC 9112 7.1): see http1_chunked.h. A state a byte of framing, none
 * a byte of data. The grammar of extensions is checked although they are dropped: what one side
 * ignores and the other reads is how requests are smuggled. Blanks are taken where RFC
 * 9112 7.1.1 has BWS, and nowhere else.
 */
#include "http1_chunked.h"

#include "http1_trailers.h"
#include "str.h"

enum {
    SIZE,
    EXT_START, /* blanks before ';' */
    EXT_NAME_START,
    EXT_NAME,
    EXT_NAME_END, /* blanks behind the name */
    EXT_VALUE_START,
    EXT_VALUE,
    EXT_QUOTED,
    EXT_ESCAPED, /* behind a backslash */
    EXT_QUOTE_END,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER_START,
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    LAST_LF,
    DONE,
    FAILED
};

enum {
    MAX_DIGITS = 32, /* zeros in front, too */
    MAX_LINE = 4096,
    MAX_LINE_EXTENSIONS = 32,
    MAX_EXTENSIONS = 65536,
    DATA_PER_EXTENSION_BYTE = 16
};

void gale__chunked_init(gale__chunked_t *d) {
    memset(d, 0, sizeof *d);
}

static int refuse(gale__chunked_t *d, int status, const char *error) {
    d->state = FAILED;
    d->refused = status;
    d->error = error;
    return GALE__CHUNKED_ERROR;
}

/* A byte of the size. */
static bool size_byte(gale__chunked_t *d, uint8_t c) {
    if (gale__is(c, GALE__HEX)) {
        unsigned digit = c <= '9' ? c - (unsigned)'0' : (c | 0x20u) - 'a' + 10;
        /* Sizes that don't fit a signed number would overflow somebody's sum. */
        if (d->left > INT64_MAX >> 4) return false;
        d->left = d->left << 4 | digit;
        return ++d->size_digits <= MAX_DIGITS;
    }
    if (d->size_digits == 0) return false;
    d->state = c == '\r' ? SIZE_LF : c == ';' ? EXT_NAME_START : EXT_START;
    return c == '\r' || c == ';' || c == ' ' || c == '\t';
}

/* Behind a complete name or value: the end of the line or the next extension. */
static bool extension_end(gale__chunked_t *d, uint8_t c) {
    d->state = c == '\r' ? SIZE_LF : EXT_NAME_START;
    return c == '\r' || c == ';';
}

/* chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] ) */
static bool extension_byte(gale__chunked_t *d, uint8_t c) {
    bool blank = c == ' ' || c == '\t', token = gale__is(c, GALE__TOKEN);
    switch (d->state) {
    case EXT_START:
        d->state = blank ? EXT_START : EXT_NAME_START;
        return blank || c == ';';
    case EXT_NAME_START:
        d->state = blank ? EXT_NAME_START : EXT_NAME;
        return blank || token;
    case EXT_NAME:
        if (token) return true;
        if (c == '\r') return extension_end(d, c);
        __attribute__((fallthrough));
    case EXT_NAME_END: /* blanks before the line end are not of the grammar */
        d->state = blank ? EXT_NAME_END : c == '=' ? EXT_VALUE_START : EXT_NAME_START;
        return blank || c == '=' || c == ';';
    case EXT_VALUE_START:
        d->state = blank ? EXT_VALUE_START : c == '"' ? EXT_QUOTED : EXT_VALUE;
        return blank || c == '"' || token;
    case EXT_VALUE:
        if (token) return true;
        d->state = EXT_START;
        return blank || extension_end(d, c);
    case EXT_QUOTED:
        if (c == '"' || c == '\\') d->state = c == '"' ? EXT_QUOTE_END : EXT_ESCAPED;
        return gale__is(c, GALE__FIELD);
    case EXT_ESCAPED:
        d->state = EXT_QUOTED;
        return gale__is(c, GALE__FIELD);
    default:
        d->state = EXT_START;
        return blank || extension_end(d, c); /* EXT_QUOTE_END */
    }
}

/* A byte of the trailer section, which is checked like the header. */
static bool trailer_byte(gale__chunked_t *d, uint8_t c) {
    switch (d->state) {
    case TRAILER_START:
        d->state = TRAILER_NAME;
        d->trailer_fields++;
        return gale__is(c, GALE__TOKEN);
    case TRAILER_NAME:
        if (c == ':') d->state = TRAILER_VALUE;
        return c == ':' || gale__is(c, GALE__TOKEN);
    case TRAILER_VALUE:
        if (c == '\r') d->state = TRAILER_LF;
        return c == '\r' || gale__is(c, GALE__FIELD);
    default: /* TRAILER_LF */
        d->state = TRAILER_START;
        return c == '\n';
    }
}

/* Field lines, up to the empty line or the end of the bytes. */
static int take_trailers(gale__chunked_t *d, const char *bytes, size_t len, size_t *pos,
                         gale_str_t *data) {
    size_t start = *pos;
    while (*pos < len && (d->state != TRAILER_START || bytes[*pos] != '\r')) {
        if (!trailer_byte(d, (uint8_t)bytes[(*pos)++])) {
            return refuse(d, 400, "a trailer field is malformed");
        }
        if (++d->line_bytes > GALE__TRAILER_BYTES || d->trailer_fields > GALE__TRAILER_FIELDS) {
            return refuse(d, 431, "the trailer section is too long");
        }
    }
    *data = gale_str(bytes + start, *pos - start);
    return GALE__CHUNKED_TRAILERS;
}

/* A byte of the size line, its extensions and the line end. Null, or why it is refused. */
static const char *line_byte(gale__chunked_t *d, uint8_t c) {
    if (c == ';' && d->state != EXT_QUOTED && d->state != EXT_ESCAPED &&
        ++d->line_extensions > MAX_LINE_EXTENSIONS) {
        return "too many chunk extensions";
    }
    if (d->state == SIZE) return size_byte(d, c) ? NULL : "a chunk size is malformed or too large";
    if (d->state == SIZE_LF) {
        if (c != '\n') return "a chunk size line does not end in CRLF";
        /* Those who sign each chunk of a long body may do so to its end. */
        uint64_t credit = d->left / DATA_PER_EXTENSION_BYTE;
        d->ext_bytes -= credit < d->ext_bytes ? (uint32_t)credit : d->ext_bytes;
        d->state = d->left > 0 ? DATA : TRAILER_START;
        d->size_digits = d->line_bytes = d->line_extensions = 0;
        return NULL;
    }
    if (++d->line_bytes > MAX_LINE || ++d->ext_bytes > MAX_EXTENSIONS) {
        return "too many chunk extensions";
    }
    return extension_byte(d, c) ? NULL : "a chunk extension is malformed";
}

static const char *framing_byte(gale__chunked_t *d, uint8_t c) {
    if (d->state < DATA) return line_byte(d, c);
    if (d->state == DATA_CR || d->state == DATA_LF) {
        if (c != (d->state == DATA_CR ? '\r' : '\n')) return "chunk data does not end in CRLF";
        d->state = d->state == DATA_CR ? DATA_LF : SIZE;
        return NULL;
    }
    /* The empty line; all fields before it are taken. */
    bool ok = c == (d->state == TRAILER_START ? '\r' : '\n');
    d->state = d->state == TRAILER_START ? LAST_LF : DONE;
    return ok ? NULL : "the body does not end in CRLF";
}

int gale__chunked_next(gale__chunked_t *d, const char *bytes, size_t len, size_t *pos,
                       gale_str_t *data) {
    if (d->state == FAILED) return GALE__CHUNKED_ERROR;
    while (d->state != DONE) {
        if (*pos == len) return GALE__CHUNKED_MORE;
        if (d->state == DATA) {
            size_t here = len - *pos;
            if (here > d->left) here = (size_t)d->left;
            *data = gale_str(bytes + *pos, here);
            *pos += here;
            d->left -= here;
            if (d->left == 0) d->state = DATA_CR;
            return GALE__CHUNKED_DATA;
        }
        bool field = d->state >= TRAILER_NAME && d->state <= TRAILER_LF;
        if (field || (d->state == TRAILER_START && bytes[*pos] != '\r')) {
            return take_trailers(d, bytes, len, pos, data);
        }
        const char *error = framing_byte(d, (uint8_t)bytes[(*pos)++]);
        if (error != NULL) return refuse(d, 400, error);
    }
    return GALE__CHUNKED_END;
}
