#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 64 << 20 };

/* -------------------------------------------------------------------------------------- growing */

static bool reserve(text_t *t, size_t more) {
    if (t->failed) return false;
    if (more <= t->cap - t->len) return true;
    size_t cap = t->cap == 0 ? 256 : t->cap;
    while (cap - t->len < more && cap < TEXT_MAX) cap *= 2;
    char *grown = cap - t->len < more ? NULL : realloc(t->bytes, cap);
    if (grown == NULL) {
        t->failed = true;
        return false;
    }
    t->bytes = grown;
    t->cap = cap;
    return true;
}

void text_add(text_t *t, const void *bytes, size_t len) {
    if (len == 0 || !reserve(t, len)) return;
    memcpy(t->bytes + t->len, bytes, len);
    t->len += len;
}

void text_puts(text_t *t, const char *text) { text_add(t, text, strlen(text)); }

void text_printf(text_t *t, const char *format, ...) {
    char line[256]; /* for numbers and tags; nothing that comes from outside goes this way */
    va_list args;
    va_start(args, format);
    int len = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (len < 0 || (size_t)len >= sizeof line) {
        t->failed = true;
    } else {
        text_add(t, line, (size_t)len);
    }
}

const char *text_string(text_t *t) {
    if (!reserve(t, 1)) return "";
    t->bytes[t->len] = '\0';
    return t->bytes;
}

void text_free(text_t *t) {
    free(t->bytes);
    *t = (text_t){0};
}

gale_buf_t text_take(text_t *t) {
    gale_buf_t taken = {t->bytes, t->len, free, t->bytes};
    if (t->failed) {
        free(t->bytes);
        taken = (gale_buf_t){0};
    }
    *t = (text_t){0};
    return taken;
}

shared_t *shared_make(text_t *t) {
    shared_t *shared = t->failed ? NULL : malloc(sizeof *shared + t->len);
    if (shared != NULL) {
        *shared = (shared_t){.holders = 1, .len = t->len};
        if (t->len > 0) memcpy(shared->bytes, t->bytes, t->len);
    }
    text_free(t);
    return shared;
}

void shared_release(void *arg) {
    shared_t *shared = arg;
    if (shared != NULL && --shared->holders == 0) free(shared);
}

gale_buf_t shared_buf(shared_t *shared) {
    shared->holders++;
    return (gale_buf_t){shared->bytes, shared->len, shared_release, shared};
}

/* ------------------------------------------------------------------------------------- escaping */

void text_html(text_t *t, const char *text) {
    for (; *text != '\0'; text++) {
        const char *entity = *text == '&'    ? "&amp;"
                             : *text == '<'  ? "&lt;"
                             : *text == '>'  ? "&gt;"
                             : *text == '"'  ? "&quot;"
                             : *text == '\'' ? "&#39;"
                                             : NULL;
        if (entity != NULL) {
            text_puts(t, entity);
        } else {
            text_add(t, text, 1);
        }
    }
}

void text_json(text_t *t, const char *text) {
    text_puts(t, "\"");
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20 || c == 0x7f || strchr("\"\\<>&", c) != NULL) {
            text_printf(t, "\\u%04x", c);
        } else {
            text_add(t, text, 1);
        }
    }
    text_puts(t, "\"");
}

void text_url(text_t *t, gale_str_t bytes) {
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (plain || (c != '\0' && strchr("-._~", c) != NULL)) {
            text_add(t, &c, 1);
        } else {
            text_printf(t, "%%%02X", c);
        }
    }
}

/* ---------------------------------------------------------------------------------------- UTF-8 */

int32_t utf8_next(const char **at, const char *end) {
    static const int32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *p = (const unsigned char *)*at;
    size_t len = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    size_t there = (size_t)(end - *at);
    *at += 1;
    if (len == 0 || p[0] > 0xf4 || there < len) return -1;
    int32_t c = len == 1 ? p[0] : p[0] & (0x7f >> len);
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80) return -1;
        c = c << 6 | (p[i] & 0x3f);
    }
    if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) return -1;
    *at += len - 1;
    return c;
}

size_t utf8_put(char *out, int32_t c) {
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t len = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--, c >>= 6) out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(0xf00 >> len | c);
    return len;
}

static bool is_space(int32_t c) {
    return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
           c == 0x205f || c == 0x3000;
}

char *text_trim(char *text) {
    char *end = text + strlen(text), *last = text;
    const char *at = text;
    while (at < end && is_space(utf8_next(&at, end))) text = (char *)(uintptr_t)at;
    for (at = last = text; at < end;) {
        if (!is_space(utf8_next(&at, end))) last = (char *)(uintptr_t)at;
    }
    *last = '\0';
    return text;
}

static bool is_within(int32_t c, const int32_t ranges[][2], size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (c >= ranges[i][0] && c <= ranges[i][1]) return true;
    }
    return false;
}

/* Controls, and the format characters of Unicode but for the joiners, which emoji and scripts
 * need. */
static bool is_unseen(int32_t c) {
    static const int32_t ranges[][2] = {
        {0, 0x1f},          {0x7f, 0x9f},       {0xad, 0xad},       {0x600, 0x605},
        {0x61c, 0x61c},     {0x6dd, 0x6dd},     {0x70f, 0x70f},     {0x890, 0x891},
        {0x8e2, 0x8e2},     {0x180e, 0x180e},   {0x200b, 0x200b},   {0x200e, 0x200f},
        {0x2028, 0x202e},   {0x2060, 0x206f},   {0xfeff, 0xfeff},   {0xfff9, 0xfffb},
        {0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x1343f}, {0x1bca0, 0x1bca3},
        {0x1d173, 0x1d17a}, {0xe0000, 0xe007f},
    };
    return is_within(c, ranges, sizeof ranges / sizeof ranges[0]);
}

/* What shows nothing: spaces, the empty pattern of Braille, and what Unicode lets be ignored. */
static bool is_blank(int32_t c) {
    static const int32_t ranges[][2] = {
        {0xad, 0xad},       {0x34f, 0x34f},     {0x61c, 0x61c},   {0x115f, 0x1160},
        {0x17b4, 0x17b5},   {0x180b, 0x180f},   {0x200b, 0x200f}, {0x202a, 0x202e},
        {0x2060, 0x206f},   {0x2800, 0x2800},   {0x3164, 0x3164}, {0xfe00, 0xfe0f},
        {0xfeff, 0xfeff},   {0xffa0, 0xffa0},   {0xfff0, 0xfff8}, {0x1bca0, 0x1bca3},
        {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
    };
    return is_space(c) || is_within(c, ranges, sizeof ranges / sizeof ranges[0]);
}

char *text_name(char *typed, size_t limit) {
    char *name = text_trim(typed);
    const char *at = name, *end = name + strlen(name);
    bool shows = false;
    for (size_t count = 0; at < end; count++) {
        int32_t c = utf8_next(&at, end);
        if (c < 0 || is_unseen(c) || count == limit) return NULL;
        shows |= !is_blank(c);
    }
    return shows ? name : NULL;
}

char *text_message(char *typed) {
    char *out = typed;
    for (const char *in = typed; *in != '\0'; in++) {
        if (in[0] != '\r' || in[1] != '\n') *out++ = *in;
    }
    *out = '\0';
    char *text = text_trim(typed);
    const char *at = text, *end = text + strlen(text);
    size_t units = 0;
    while (at < end) {
        int32_t c = utf8_next(&at, end);
        if (c < 0) return NULL;
        units += c >= 0x10000 ? 2 : 1;
    }
    return units == 0 || units > 4000 ? NULL : text;
}
