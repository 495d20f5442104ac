#include "json.h"

#include <stdlib.h>
#include <string.h>

static char *put(char *out, const char *text) {
    size_t len = strlen(text);
    memcpy(out, text, len);
    return out + len;
}

/* A JSON string; at most 6 bytes for each of the text's, and two quotes. */
static char *put_string(char *out, gale_str_t text) {
    static const char hex[] = "0123456789abcdef";
    *out++ = '"';
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c == '"' || c == '\\') {
            *out++ = '\\';
            *out++ = (char)c;
        } else if (c < 0x20 || c >= 0x7f) {
            out = put(out, "\\u00");
            *out++ = hex[c >> 4];
            *out++ = hex[c & 15];
        } else {
            *out++ = (char)c;
        }
    }
    *out++ = '"';
    return out;
}

static char *put_base64(char *out, gale_str_t bytes) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *in = (const unsigned char *)bytes.ptr;
    size_t i = 0;
    for (; i + 3 <= bytes.len; i += 3) {
        *out++ = digits[in[i] >> 2];
        *out++ = digits[(in[i] & 3) << 4 | in[i + 1] >> 4];
        *out++ = digits[(in[i + 1] & 15) << 2 | in[i + 2] >> 6];
        *out++ = digits[in[i + 2] & 63];
    }
    if (i < bytes.len) {
        unsigned second = i + 1 < bytes.len ? in[i + 1] : 0;
        *out++ = digits[in[i] >> 2];
        *out++ = digits[(in[i] & 3) << 4 | second >> 4];
        *out++ = i + 1 < bytes.len ? digits[(second & 15) << 2] : '=';
        *out++ = '=';
    }
    return out;
}

gale_buf_t echo_json(const gale_req_t *req) {
    gale_str_t method = gale_req_method(req), target = gale_req_target(req);
    gale_str_t body = gale_req_body(req);
    const gale_header_t *headers;
    size_t count = gale_req_headers(req, &headers);

    size_t size = 128 + 6 * (method.len + target.len) + (body.len + 2) / 3 * 4;
    for (size_t i = 0; i < count; i++) {
        size += 10 + 6 * (headers[i].name.len + headers[i].value.len);
    }
    char *json = malloc(size);
    if (json == NULL) return (gale_buf_t){0};

    char *out = put(json, "{\"method\": ");
    out = put_string(out, method);
    out = put(out, ", \"target\": ");
    out = put_string(out, target);
    out = put(out, ", \"headers\": [");
    for (size_t i = 0; i < count; i++) {
        out = put(out, i == 0 ? "[" : ", [");
        out = put_string(out, headers[i].name);
        out = put(out, ", ");
        out = put_string(out, headers[i].value);
        *out++ = ']';
    }
    out = put(out, "], \"body_b64\": \"");
    out = put_base64(out, body);
    out = put(out, "\"}");
    return (gale_buf_t){json, (size_t)(out - json), free, json};
}
