/*
 * The body of the head parser, included by each scan_*.c after it has defined
 *     GALE__PARSE                        the name of the function to make
 *     scan_t scan_fields(const char *)   classes of 64 bytes
 *     uint64_t scan_target(const char *) bit i: byte i of 64 may not stand in a target
 * and, where so many bytes of them can be loaded without touching the others, GALE__SCANS_FEW with
 *     scan_t scan_few_fields(const char *, uint32_t)
 *     uint64_t scan_few_target(const char *, uint32_t)
 * whose bits for the others are 0.
 * Both kinds of "where does this end" are worked out for a block of 64 bytes at a time and
 * independently of where lines begin, so that the processor does it ahead; the chain from line to
 * line is then two shifts and two bit counts a field. No load goes beyond the bytes given: where
 * only whole blocks can be loaded, the last one is loaded so that it ends there, and shifted.
 */
#include "http1_head_impl.h"
#include "str.h"

#ifndef GALE__INLINE
#define GALE__INLINE static inline __attribute__((always_inline))
#endif
#define GALE__UNLIKELY(x) __builtin_expect((x), 0)

enum { BLOCK = 64 };

typedef struct {
    const char *bytes;
    uint32_t cap;  /* bytes that may be looked at */
    uint32_t base; /* offset of the block */
    scan_t scan;   /* of bytes[base..base+64), no bit set at or after cap */
} cursor_t;

#ifdef GALE__SCANS_FEW
/* Classes of the block at `base`, of the bytes before cap. */
GALE__INLINE scan_t scan_fields_at(const char *bytes, uint32_t cap, uint32_t base) {
    uint32_t left = cap - base;
    if (GALE__UNLIKELY(left < BLOCK)) return scan_few_fields(bytes + base, left);
    return scan_fields(bytes + base);
}

GALE__INLINE uint64_t scan_target_at(const char *bytes, uint32_t cap, uint32_t base) {
    uint32_t left = cap - base;
    if (GALE__UNLIKELY(left < BLOCK)) return scan_few_target(bytes + base, left);
    return scan_target(bytes + base);
}
#else
/* Less than a block in all: nothing to reach back into. */
static __attribute__((noinline)) const char *padded(char out[BLOCK], const char *bytes,
                                                    uint32_t len) {
    memset(out, 0, BLOCK);
    return memcpy(out, bytes, len);
}

/* Where to load the block at `base` from, how far to shift its masks down, and which of their bits
 * to keep. */
typedef struct {
    const char *from;
    uint32_t shift;
    uint64_t keep;
} place_t;

GALE__INLINE place_t place(const char *bytes, uint32_t cap, uint32_t base, char tmp[BLOCK]) {
    place_t p = {bytes + base, 0, ~UINT64_C(0)};
    uint32_t left = cap - base;
    if (GALE__UNLIKELY(left < BLOCK)) {
        if (cap >= BLOCK) {
            p.from = bytes + cap - BLOCK;
            p.shift = BLOCK - left;
        } else {
            p.from = padded(tmp, bytes + base, left);
            p.keep = (UINT64_C(1) << left) - 1;
        }
    }
    return p;
}

GALE__INLINE scan_t scan_fields_at(const char *bytes, uint32_t cap, uint32_t base) {
    char tmp[BLOCK];
    place_t p = place(bytes, cap, base, tmp);
    scan_t s = scan_fields(p.from);
    s.name_ends = (s.name_ends >> p.shift) & p.keep;
    s.value_ends = (s.value_ends >> p.shift) & p.keep;
    return s;
}

GALE__INLINE uint64_t scan_target_at(const char *bytes, uint32_t cap, uint32_t base) {
    char tmp[BLOCK];
    place_t p = place(bytes, cap, base, tmp);
    return (scan_target(p.from) >> p.shift) & p.keep;
}
#endif

/* Loads the block at c->base, which is below c->cap. */
GALE__INLINE void load(cursor_t *c) {
    c->scan = scan_fields_at(c->bytes, c->cap, c->base);
}

/* Offset of the first byte at or after `at` that is no token character, or cap. */
GALE__INLINE uint32_t find_name_end(cursor_t *c, uint32_t at) {
    for (;;) {
        if (at - c->base < BLOCK) {
            uint64_t ends = c->scan.name_ends >> (at - c->base);
            if (ends != 0) return at + (uint32_t)__builtin_ctzll(ends);
            at = c->base + BLOCK;
        }
        if (c->cap - c->base <= BLOCK) return c->cap;
        c->base += BLOCK;
        load(c);
    }
}

/* Offset of the first byte at or after `at` that may not stand in a value, or cap. */
GALE__INLINE uint32_t find_value_end(cursor_t *c, uint32_t at) {
    for (;;) {
        if (at - c->base < BLOCK) {
            uint64_t ends = c->scan.value_ends >> (at - c->base);
            if (ends != 0) return at + (uint32_t)__builtin_ctzll(ends);
            at = c->base + BLOCK;
        }
        if (c->cap - c->base <= BLOCK) return c->cap;
        c->base += BLOCK;
        load(c);
    }
}

/* Offset of the first byte at or after `at` that may not stand in a target, or cap. The cursor
 * keeps up. */
GALE__INLINE uint32_t find_target_end(cursor_t *c, uint32_t at) {
    uint32_t base = c->base, found = c->cap;
    for (;; base += BLOCK) {
        uint64_t ends = scan_target_at(c->bytes, c->cap, base);
        if (at > base) ends = at - base < BLOCK ? ends >> (at - base) << (at - base) : 0;
        if (ends != 0) {
            found = base + (uint32_t)__builtin_ctzll(ends);
            break;
        }
        if (c->cap - base <= BLOCK) break;
    }
    if (base != c->base) {
        c->base = base;
        load(c);
    }
    return found;
}

/* More bytes are wanted; but not if there are as many as a head may have. */
GALE__INLINE int wait(gale__head_t *head, const cursor_t *c, uint32_t phase, uint32_t line,
                      uint32_t at, uint32_t max) {
    head->state = (head->state & ~0xffu) | phase;
    head->line = line;
    head->scanned = at;
    return c->cap < max ? 0 : gale__head_too_long(head, phase);
}

/* The version and the line end; then what the target's form must be is known too. > 0: offset of
 * the first field. */
GALE__INLINE int parse_version(gale__head_t *head, const cursor_t *c, uint32_t at,
                               const gale__head_limits_t *limits) {
    const char *version = c->bytes + at;
    int size = GALE__VERSION_LEN;
    if (c->cap - at >= GALE__VERSION_LEN &&
        memcmp(version, "HTTP/1.1\r\n", GALE__VERSION_LEN) == 0) {
        head->minor = 1;
    } else {
        size = gale__head_version(head, limits, version, c->cap - at);
        if (size <= 0) return size;
    }
    /* A path in any method but CONNECT, which has as many letters as OPTIONS. */
    if (GALE__UNLIKELY(head->target.ptr[0] != '/' || head->method.len == 7)) {
        int refused = gale__head_target(head);
        if (refused < 0) return refused;
    }
    return (int)at + size;
}

/* The request line. > 0: offset of the first field. */
GALE__INLINE int parse_request_line(gale__head_t *head, cursor_t *c,
                                    const gale__head_limits_t *limits, uint32_t max) {
    const char *b = c->bytes;
    uint32_t at = head->scanned, line = head->line;
    switch (GALE__PHASE(head->state)) {
    case GALE__PHASE_START:
        if (GALE__UNLIKELY(b[0] <= '\r')) {
            if (b[0] == '\n' && (limits->lenient & GALE__LENIENT_BARE_LF)) at = line = 1;
            if (b[0] == '\r') {
                if (c->cap == 1) return wait(head, c, GALE__PHASE_START, 0, 0, max);
                if (b[1] != '\n') return gale__head_refuse(head, 400, "a CR without LF");
                at = line = 2;
            }
        }
        __attribute__((fallthrough));
    case GALE__PHASE_METHOD:
        at = find_name_end(c, at);
        if (at == c->cap) return wait(head, c, GALE__PHASE_METHOD, line, at, max);
        if (b[at] != ' ' || at == line)
            return gale__head_refuse_line(head, (uint8_t)b[at], at == line);
        head->method = gale_str(b + line, at - line);
        at++;
        __attribute__((fallthrough));
    case GALE__PHASE_TARGET: {
        uint32_t start = line + (uint32_t)head->method.len + 1;
        if (at < c->cap) at = find_target_end(c, at);
        if (at == c->cap) return wait(head, c, GALE__PHASE_TARGET, line, at, max);
        if (b[at] != ' ' || at == start) {
            return gale__head_refuse(head, 400,
                                     "the request target is empty or holds an invalid character");
        }
        head->target = gale_str(b + start, at - start);
        at++;
    }
        __attribute__((fallthrough));
    default: {
        int next = parse_version(head, c, at, limits);
        return next == 0 ? wait(head, c, GALE__PHASE_VERSION, line, at, max) : next;
    }
    }
}

/* Names of 4, 6, 7, 10, 14 and 17 letters with these first ones may be fields that matter here. */
GALE__INLINE bool may_matter(gale_str_t name) {
    static const char first_letter[32] = {
        [4] = 'h', [6] = 'e', [7] = 'u', [10] = 'c', [14] = 'c', [17] = 't'};
    return name.len < 32 && first_letter[name.len] == (name.ptr[0] | 0x20);
}

/* The value without the blanks around it. `end` is that of the line and `start` the colon's next, so
 * that a byte may be read on either side. */
GALE__INLINE gale_str_t trimmed(const char *start, const char *end) {
    start += *start == ' ';
    if (GALE__UNLIKELY((uint8_t)*start <= ' ' || (uint8_t)end[-1] <= ' ')) {
        while (start < end && (*start == ' ' || *start == '\t')) start++;
        while (end > start && (end[-1] == ' ' || end[-1] == '\t')) end--;
    }
    return gale_str(start, (size_t)(end - start));
}

/* A name that isn't followed by its colon: the end of the head, or an error. */
GALE__INLINE int parse_end(gale__head_t *head, const cursor_t *c, uint32_t line, uint32_t at,
                           const gale__head_limits_t *limits, uint32_t max) {
    const char *b = c->bytes;
    if (GALE__UNLIKELY(at > line || b[at] != '\r')) {
        if (at == line && b[at] == '\n' && (limits->lenient & GALE__LENIENT_BARE_LF)) {
            return gale__head_finish(head, limits, at + 1);
        }
        return gale__head_refuse_line(head, (uint8_t)b[at], at == line);
    }
    if (at + 1 == c->cap) return wait(head, c, GALE__PHASE_NAME, line, at, max);
    if (b[at + 1] != '\n') return gale__head_refuse(head, 400, "a CR without LF");
    return gale__head_finish(head, limits, at + 2);
}

/* The value of the field whose name stands behind the last one taken, from `at` on. > 0: offset of
 * the next line. */
GALE__INLINE int parse_value(gale__head_t *head, cursor_t *c, uint32_t line, uint32_t at,
                             const gale__head_limits_t *limits, uint32_t max) {
    const char *b = c->bytes;
    gale_header_t *field = &head->headers[head->header_count];
    const char *value = field->name.ptr + field->name.len + 1;
    at = find_value_end(c, at);
    bool pair = c->cap - at >= 2;
    if (GALE__UNLIKELY(!pair && (at == c->cap || b[at] == '\r'))) {
        return wait(head, c, GALE__PHASE_VALUE, line, at, max);
    }
    line = at + 2;
    if (GALE__UNLIKELY(!pair || memcmp(b + at, "\r\n", 2) != 0)) {
        if (b[at] != '\n' || !(limits->lenient & GALE__LENIENT_BARE_LF)) {
            return gale__head_refuse(head, 400, "a header value holds a control character");
        }
        line = at + 1;
    }
    field->value = trimmed(value, b + at);
    head->header_count++;
    if (may_matter(field->name)) {
        int refused = gale__head_field(head, limits);
        if (GALE__UNLIKELY(refused < 0)) return refused;
    }
    return (int)line;
}

/* The fields from `line` on, or from head->scanned on if it was interrupted in a value. */
GALE__INLINE int parse_fields(gale__head_t *head, cursor_t *c, uint32_t line, uint32_t at,
                              const gale__head_limits_t *limits, uint32_t max) {
    const char *b = c->bytes;
    bool in_value = GALE__PHASE(head->state) == GALE__PHASE_VALUE;
    head->state = (head->state & ~0xffu) | GALE__PHASE_NAME;
    if (GALE__UNLIKELY(in_value)) {
        int next = parse_value(head, c, line, at, limits, max);
        if (next <= 0) return next;
        line = at = (uint32_t)next;
    }
    for (;;) {
        at = find_name_end(c, at);
        if (GALE__UNLIKELY(at == c->cap)) return wait(head, c, GALE__PHASE_NAME, line, at, max);
        if (GALE__UNLIKELY(b[at] != ':' || at == line)) {
            bool blank = at == line && (b[at] == ' ' || b[at] == '\t');
            if (!blank || !gale__head_unfold(head, limits, b, line)) {
                return parse_end(head, c, line, at, limits, max);
            }
            head->header_count--; /* its value goes on */
        } else {
            if (head->header_count == limits->max_headers) {
                return gale__head_refuse(head, 431, "too many header fields");
            }
            head->headers[head->header_count].name = gale_str(b + line, at - line);
            at++;
        }
        int next = parse_value(head, c, line, at, limits, max);
        if (GALE__UNLIKELY(next <= 0)) return next;
        line = at = (uint32_t)next;
    }
}

int GALE__PARSE(gale__head_t *head, const gale__head_limits_t *limits, const char *bytes,
                size_t len) {
    uint32_t max = limits->max_bytes < INT32_MAX ? limits->max_bytes : INT32_MAX;
    cursor_t c = {bytes, len < max ? (uint32_t)len : max, 0, {0, 0}};
    uint32_t line = head->line, at = head->scanned;
    if (c.cap == 0) return 0;
    /* The block of the last byte looked at: what is at `scanned` may lie beyond the end yet. */
    c.base = at < c.cap ? at & ~(uint32_t)(BLOCK - 1) : (c.cap - 1) & ~(uint32_t)(BLOCK - 1);
    load(&c);
    if (GALE__PHASE(head->state) < GALE__PHASE_NAME) {
        int next = parse_request_line(head, &c, limits, max);
        if (next <= 0) return next;
        line = at = (uint32_t)next;
    }
    return parse_fields(head, &c, line, at, limits, max);
}
