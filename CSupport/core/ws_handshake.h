/* The opening handshake of a WebSocket, client side (RFC 6455 4.1): the request, and what its answer
 * must be. */
#ifndef GALE_CORE_WS_HANDSHAKE_H
#define GALE_CORE_WS_HANDSHAKE_H

#include "http1_answer.h"
#include "ws_extensions.h"
#include "ws_url.h"

enum { GALE__WS_KEY = 24 };

/* What a request is made of. All of it is valid; `fields` are whole lines, with their ends. */
typedef struct {
    const gale__ws_url_t *url;
    char key[GALE__WS_KEY];  /* base64 of 16 random bytes */
    gale_str_t subprotocols; /* a list; empty: none is offered */
    bool deflate;
    gale__ws_deflate_rules_t rules;
    gale_str_t fields, more_fields;
    bool names_host; /* the fields have a Host */
} gale__ws_request_t;

/* Writes it into `out`, unless that is null; gives its length. */
size_t gale__ws_request_write(char *out, const gale__ws_request_t *r);

/* Whether a field is the handshake's own, or would frame a body or change the connection's use, so
 * that a caller may not give it. */
bool gale__ws_request_owns(gale_str_t name);

/* What was agreed on. */
typedef struct {
    gale_str_t subprotocol;     /* a slice of the answer; empty: none */
    gale__ws_deflate_t deflate; /* server_bits 0: none */
} gale__ws_agreed_t;

/* Null when an answer of 101 completes the handshake, and then what was agreed on; else one sentence
 * of what is wrong with it. */
const char *gale__ws_answer_fault(const gale__answer_t *a, const gale__ws_request_t *r,
                                  gale__ws_agreed_t *agreed);

#endif
