/*
 * libFuzzer target of what proxies say. The first byte chooses the family; then each line is a field:
 * a letter for its name, its value. Whatever comes out is an address, a host out of the fields, or
 * nothing; it is not a trusted address unless all are; fields of other families, and whatever a
 * client puts in front of the first field, change nothing when the answer is a client's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forwarded.h"
#include "host.h"
#include "str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) abort();                                                                 \
    } while (0)

enum { MOST = 16 };
static const char *const names[] = {"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host",
                                    "X-Real-Ip",       "X-Scheme",          "Forwarded"};

static size_t split_fields(const char *bytes, size_t size, gale_header_t *out) {
    size_t count = 0, at = 0;
    while (at < size && count < MOST) {
        const char *line = bytes + at, *end = memchr(line, '\n', size - at);
        size_t len = end == NULL ? size - at : (size_t)(end - line);
        if (len > 0) {
            gale_str_t value = gale__trim(gale_str(line + 1, len - 1));
            if (gale__is_field_value(value)) {
                out[count++] = (gale_header_t){gale_cstr(names[(uint8_t)*line % 6]), value};
            }
        }
        at += len + 1;
    }
    return count;
}

static void read_and_check(gale__forwarded_t *f, const gale__forwarded_rules_t *rules,
                           const gale_header_t *headers, size_t count) {
    memset(f, 0xff, sizeof *f);
    gale__forwarded_read(f, rules, headers, count);
    MUST(f->ip.family == GALE__IP_NONE || f->ip.family == GALE__IP_V4 ||
         f->ip.family == GALE__IP_V6);
    MUST(f->ip.family != GALE__IP_NONE || f->port == 0);
    MUST(f->scheme <= GALE__SCHEME_HTTPS);
    if (f->host.len == 0) return;
    MUST(gale__is_authority(f->host, false));
    bool inside = false;
    for (size_t i = 0; i < count; i++) {
        gale_str_t v = headers[i].value;
        inside |= f->host.ptr >= v.ptr && f->host.ptr + f->host.len <= v.ptr + v.len;
    }
    MUST(inside);
}

static bool same(const gale__forwarded_t *a, const gale__forwarded_t *b) {
    return memcmp(&a->ip, &b->ip, sizeof a->ip) == 0 && a->port == b->port &&
           a->scheme == b->scheme && gale__eq(a->host, b->host);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const gale_header_t lies[] = {{{"X-Forwarded-For", 15}, {"6.6.6.6", 7}},
                                         {{"Forwarded", 9}, {"for=6.6.6.6;proto=http;host=l", 29}}};
    gale__network_t networks[2];
    gale_header_t headers[MOST + 2];
    gale__forwarded_t f, again;
    if (size == 0) return 0;
    gale__forwarded_rules_t rules = {networks, 2, data[0] % 3, data[0] & 4};
    MUST(gale__networks_parse(gale_cstr("10.0.0.0/8 ::1"), networks, 2) == 2);
    char *copy = malloc(size);
    MUST(copy != NULL);
    memcpy(copy, data + 1, size - 1);
    size_t count = split_fields(copy, size - 1, headers + 2);
    read_and_check(&f, &rules, headers + 2, count);
    bool clients =
        f.ip.family != GALE__IP_NONE && !gale__networks_have(rules.networks, rules.count, &f.ip);
    memcpy(headers, lies, sizeof lies);
    read_and_check(&again, &rules, headers, count + 2);
    if (clients) MUST(same(&f, &again));
    rules.family = (rules.family + 1) % 3;
    for (size_t i = 0; i < count; i++) {
        const char *name = headers[i + 2].name.ptr;
        uint32_t family = name == names[5]                       ? GALE_FORWARDED_RFC7239
                          : name == names[3] || name == names[4] ? GALE_FORWARDED_X_REAL_IP
                                                                 : GALE_FORWARDED_X;
        if (family == rules.family) headers[i + 2].name = gale_cstr("Other");
    }
    read_and_check(&f, &rules, headers + 2, count); /* only other families are left */
    MUST(f.ip.family == GALE__IP_NONE && f.scheme == GALE__SCHEME_UNKNOWN && f.host.len == 0);
    free(copy);
    return 0;
}
