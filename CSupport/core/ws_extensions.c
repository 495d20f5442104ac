#include "ws_extensions.h"

#include <string.h>

#include "str.h"

/* ------------------------------------------------------------------------------------- the field */

typedef struct {
    const char *at, *end;
} reader_t;

/* A value without its quotes; more bytes than any parameter of ours may have are only counted. */
typedef struct {
    char text[4];
    size_t len;
    bool given;
} value_t;

static void skip_blanks(reader_t *r) {
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t')) r->at++;
}

static bool take(reader_t *r, char c) {
    skip_blanks(r);
    if (r->at == r->end || *r->at != c) return false;
    r->at++;
    return true;
}

static bool take_token(reader_t *r, gale_str_t *token) {
    skip_blanks(r);
    const char *start = r->at;
    while (r->at < r->end && gale__is((uint8_t)*r->at, GALE__TOKEN)) r->at++;
    *token = gale_str(start, (size_t)(r->at - start));
    return token->len > 0;
}

static void put(value_t *v, char c) {
    if (v->len < sizeof v->text) v->text[v->len] = c;
    v->len++;
}

/* Behind the opening quote. What is quoted must be a token all the same (RFC 6455 9.1). */
static bool take_quoted(reader_t *r, value_t *v) {
    while (r->at < r->end && *r->at != '"') {
        if (*r->at == '\\' && ++r->at == r->end) return false;
        if (!gale__is((uint8_t)*r->at, GALE__TOKEN)) return false;
        put(v, *r->at++);
    }
    if (r->at == r->end || v->len == 0) return false;
    r->at++;
    return true;
}

static bool take_value(reader_t *r, value_t *v) {
    *v = (value_t){.given = take(r, '=')};
    if (!v->given) return true;
    if (take(r, '"')) return take_quoted(r, v);
    gale_str_t token;
    if (!take_token(r, &token)) return false;
    for (size_t i = 0; i < token.len; i++) put(v, token.ptr[i]);
    return true;
}

/* ------------------------------------------------------------------------------------- an offer */

/* The four parameters, as bits. */
enum { SERVER_NO_TAKEOVER = 1, CLIENT_NO_TAKEOVER = 2, SERVER_BITS = 4, CLIENT_BITS = 8 };

typedef struct {
    unsigned named;
    uint8_t server_bits, client_bits; /* client_bits 0: named without a value */
} offer_t;

/* 8 to 15, without a leading zero; 0 when it is no such number (RFC 7692 7.1.2). */
static uint8_t window_bits(const value_t *v) {
    if (v->len == 1 && (v->text[0] == '8' || v->text[0] == '9')) return (uint8_t)(v->text[0] - '0');
    if (v->len != 2 || v->text[0] != '1' || v->text[1] < '0' || v->text[1] > '5') return 0;
    return (uint8_t)(10 + v->text[1] - '0');
}

/* Whether the offer still can be accepted with this parameter. */
static bool add_parameter(offer_t *o, gale_str_t name, const value_t *v) {
    static const gale_str_t names[] = {{"server_no_context_takeover", 26},
                                       {"client_no_context_takeover", 26},
                                       {"server_max_window_bits", 22},
                                       {"client_max_window_bits", 22}};
    unsigned which = 0;
    while (which < 4 && !gale__eq_nocase(name, names[which])) which++;
    unsigned bit = 1u << which;
    if (which == 4 || (o->named & bit) != 0) return false;
    o->named |= bit;
    if (bit < SERVER_BITS) return !v->given;
    uint8_t bits = v->given ? window_bits(v) : 0;
    if (bit == SERVER_BITS) o->server_bits = bits;
    if (bit == CLIENT_BITS) o->client_bits = bits;
    return bits != 0 || (bit == CLIENT_BITS && !v->given);
}

/* Cuts one extension off; *usable when it is an offer that can be accepted. */
static bool take_offer(reader_t *r, offer_t *o, bool *usable) {
    gale_str_t name;
    value_t value;
    *o = (offer_t){0};
    if (!take_token(r, &name)) return false;
    *usable = gale__eq_nocase(name, GALE__LIT("permessage-deflate"));
    while (take(r, ';')) {
        if (!take_token(r, &name) || !take_value(r, &value)) return false;
        *usable = *usable && add_parameter(o, name, &value);
    }
    return true;
}

static uint8_t least(uint8_t a, uint8_t b) {
    return a < b ? a : b;
}

static gale__ws_deflate_t agree(const offer_t *o, gale__ws_deflate_rules_t rules) {
    gale__ws_deflate_t a = {
        .server_takeover = rules.takeover && (o->named & SERVER_NO_TAKEOVER) == 0,
        .client_takeover = rules.takeover && (o->named & CLIENT_NO_TAKEOVER) == 0,
    };
    bool asked = (o->named & SERVER_BITS) != 0;
    a.server_bits = asked ? least(o->server_bits, rules.window_bits) : rules.window_bits;
    a.server_bits_named = asked || a.server_bits < 15;
    /* A client that did not name its own cannot be told to have a smaller one (RFC 7692 7.1.2.2).
     * Where it forgets the window, its size costs nothing here. */
    uint8_t own = o->client_bits == 0 ? 15 : o->client_bits;
    a.client_bits_named =
        a.client_takeover && (o->named & CLIENT_BITS) != 0 && rules.window_bits < own;
    a.client_bits = a.client_bits_named ? rules.window_bits : own;
    return a;
}

bool gale__ws_deflate_choose(gale_str_t field, gale__ws_deflate_rules_t rules,
                             gale__ws_deflate_t *agreed) {
    if (field.len == 0) return true;
    reader_t r = {field.ptr, field.ptr + field.len};
    for (;;) {
        while (take(&r, ',')) {
        } /* empty elements count for nothing (RFC 9110 5.6.1.2) */
        if (r.at == r.end) return true;
        offer_t offer;
        bool usable;
        if (!take_offer(&r, &offer, &usable)) return false;
        /* zlib cannot compress within 2^8. */
        usable = usable && offer.server_bits != 8;
        if (usable && agreed->server_bits == 0) *agreed = agree(&offer, rules);
        skip_blanks(&r);
        if (r.at < r.end && *r.at != ',') return false;
    }
}

/* ----------------------------------------------------------------------------------- the answer */

typedef struct {
    char *out;
    size_t len;
} writer_t;

static void add(writer_t *w, gale_str_t text) {
    memcpy(w->out + w->len, text.ptr, text.len);
    w->len += text.len;
}

static void add_bits(writer_t *w, gale_str_t name, uint8_t bits) {
    add(w, name);
    w->len += gale__format_uint64(w->out + w->len, bits);
}

size_t gale__ws_deflate_answer(char out[GALE__WS_DEFLATE_ANSWER], const gale__ws_deflate_t *a) {
    writer_t w = {out, 0};
    add(&w, GALE__LIT("permessage-deflate"));
    if (!a->server_takeover) add(&w, GALE__LIT("; server_no_context_takeover"));
    if (!a->client_takeover) add(&w, GALE__LIT("; client_no_context_takeover"));
    if (a->server_bits_named) add_bits(&w, GALE__LIT("; server_max_window_bits="), a->server_bits);
    if (a->client_bits_named) add_bits(&w, GALE__LIT("; client_max_window_bits="), a->client_bits);
    return w.len;
}

/* ------------------------------------------------------------------------------------ client side */

size_t gale__ws_deflate_offer(char out[GALE__WS_DEFLATE_ANSWER], gale__ws_deflate_rules_t rules) {
    gale__ws_deflate_t a = {.server_bits = rules.window_bits,
                            .client_bits = rules.window_bits,
                            .server_takeover = rules.takeover,
                            .client_takeover = rules.takeover,
                            .server_bits_named = rules.window_bits < 15,
                            .client_bits_named = rules.window_bits < 15};
    writer_t w = {out, gale__ws_deflate_answer(out, &a)};
    /* Without a value: the server may choose (RFC 7692 7.1.2.2). */
    if (!a.client_bits_named) add(&w, GALE__LIT("; client_max_window_bits"));
    return w.len;
}

/* What the server has made of our offer: nothing that we did not offer, and what we asked for (RFC
 * 7692 7.1.1, 7.1.2). */
static bool is_as_offered(const offer_t *o, gale__ws_deflate_rules_t rules) {
    bool bits = (o->named & SERVER_BITS) != 0;
    if (!rules.takeover && (o->named & SERVER_NO_TAKEOVER) == 0) return false;
    if (rules.window_bits < 15 && (!bits || o->server_bits > rules.window_bits)) return false;
    /* One without a value is for offers alone; zlib cannot compress within 2^8. */
    return (o->named & CLIENT_BITS) == 0 || o->client_bits >= 9;
}

bool gale__ws_deflate_agreed(gale_str_t field, gale__ws_deflate_rules_t rules,
                             gale__ws_deflate_t *agreed) {
    reader_t r = {field.ptr, field.ptr + field.len};
    offer_t o;
    bool usable;
    if (field.len == 0 || agreed->server_bits != 0 || !take_offer(&r, &o, &usable)) return false;
    skip_blanks(&r);
    if (r.at < r.end || !usable || !is_as_offered(&o, rules)) return false;
    *agreed = (gale__ws_deflate_t){
        .server_bits = (o.named & SERVER_BITS) != 0 ? o.server_bits : 15,
        .client_bits = (o.named & CLIENT_BITS) != 0 ? least(o.client_bits, rules.window_bits)
                                                    : rules.window_bits,
        .server_takeover = (o.named & SERVER_NO_TAKEOVER) == 0,
        .client_takeover = rules.takeover && (o.named & CLIENT_NO_TAKEOVER) == 0,
        .server_bits_named = (o.named & SERVER_BITS) != 0,
        .client_bits_named = (o.named & CLIENT_BITS) != 0,
    };
    return true;
}
