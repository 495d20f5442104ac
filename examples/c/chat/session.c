#define _GNU_SOURCE /* getentropy */
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "form.h"
#include "sha256.h"

enum { LASTS = 30 * 24 * 3600, HEX_SIZE = 2 * SHA256_SIZE + 1 };

/* "user=" name in hex "." when it ends "." signature. No Secure: this example speaks plain HTTP;
 * add it behind TLS. */
#define ATTRIBUTES "; Path=/; HttpOnly; SameSite=Lax"
const char session_over[] = "user=; Max-Age=0" ATTRIBUTES;

static uint8_t key[SHA256_SIZE], token_key[SHA256_SIZE]; /* the second is always of this run */

static void to_hex(const void *bytes, size_t len, char *out) {
    for (size_t i = 0; i < len; i++) {
        snprintf(out + 2 * i, 3, "%02x", ((const unsigned char *)bytes)[i]);
    }
}

/* In a time that does not tell how much of it is right. */
static bool same(const char *a, const char *b, size_t len) {
    unsigned char differs = 0;
    for (size_t i = 0; i < len; i++) differs |= (unsigned char)(a[i] ^ b[i]);
    return differs == 0;
}

bool session_start(void) {
    const char *secret = getenv("GALE_CHAT_SECRET");
    if (getentropy(token_key, sizeof token_key) != 0) return false;
    if (secret == NULL || *secret == '\0') return getentropy(key, sizeof key) == 0;
    hmac_sha256("chat", 4, secret, strlen(secret), key);
    return true;
}

static void sign(const char *text, size_t len, char out[HEX_SIZE]) {
    uint8_t mac[SHA256_SIZE];
    hmac_sha256(key, sizeof key, text, len, mac);
    to_hex(mac, sizeof mac, out);
}

void session_cookie(const char *name, char cookie[COOKIE_SIZE]) {
    char hex[2 * NAME_SIZE + 1], mac[HEX_SIZE], value[2 * NAME_SIZE + 32];
    to_hex(name, strlen(name), hex);
    int len = snprintf(value, sizeof value, "%s.%lld", hex, (long long)time(NULL) + LASTS);
    sign(value, (size_t)len, mac);
    snprintf(cookie, COOKIE_SIZE, "user=%s.%s; Max-Age=%d" ATTRIBUTES, value, mac, LASTS);
}

/* A cookie as a string; one that is longer is none of ours. */
static bool cookie(gale_req_t *req, const char *name, char *out, size_t size) {
    gale_str_t value = gale_req_cookie(req, gale_cstr(name));
    if (value.ptr == NULL || value.len >= size) return false;
    memcpy(out, value.ptr, value.len);
    out[value.len] = '\0';
    return true;
}

bool session_user(gale_req_t *req, char name[NAME_SIZE]) {
    char value[COOKIE_SIZE], mac[HEX_SIZE];
    if (!cookie(req, "user", value, sizeof value)) return false;
    char *dot = strrchr(value, '.');
    if (dot == NULL || strlen(dot + 1) != HEX_SIZE - 1) return false;
    sign(value, (size_t)(dot - value), mac);
    if (!same(dot + 1, mac, HEX_SIZE - 1)) return false;

    /* All that follows was written by session_cookie. */
    char *ends = strchr(value, '.');
    if (strtoll(ends + 1, NULL, 10) < (long long)time(NULL)) return false;
    size_t len = (size_t)(ends - value) / 2;
    for (size_t i = 0; i < len; i++) {
        char digits[3] = {value[2 * i], value[2 * i + 1], '\0'};
        name[i] = (char)strtol(digits, NULL, 16);
    }
    name[len] = '\0';
    return true;
}

static bool is_token(const char *text) {
    return strspn(text, "0123456789abcdef") == TOKEN_SIZE - 1 && text[TOKEN_SIZE - 1] == '\0';
}

bool xsrf_token(gale_req_t *req, char token[TOKEN_SIZE]) {
    static uint64_t count; /* one loop, so no lock */
    uint8_t mac[SHA256_SIZE];
    if (cookie(req, "_xsrf", token, TOKEN_SIZE) && is_token(token)) return false;
    count++;
    hmac_sha256(token_key, sizeof token_key, &count, sizeof count, mac);
    to_hex(mac, (TOKEN_SIZE - 1) / 2, token);
    return true;
}

void xsrf_cookie(const char *token, char cookie[COOKIE_SIZE]) {
    snprintf(cookie, COOKIE_SIZE, "_xsrf=%s; Max-Age=%d" ATTRIBUTES, token, LASTS);
}

bool xsrf_check(gale_req_t *req) {
    char token[TOKEN_SIZE], given[TOKEN_SIZE];
    if (!gale_req_same_origin(req) || !cookie(req, "_xsrf", token, sizeof token)) return false;
    gale_str_t header = gale_req_header(req, gale_cstr("X-Xsrftoken"));
    if (header.ptr != NULL && header.len == TOKEN_SIZE - 1) {
        memcpy(given, header.ptr, header.len);
        given[header.len] = '\0';
    } else if (form_field(gale_req_body(req), "_xsrf", given, sizeof given) != FIELD_OK) {
        return false;
    }
    return is_token(token) && is_token(given) && same(given, token, TOKEN_SIZE - 1);
}
