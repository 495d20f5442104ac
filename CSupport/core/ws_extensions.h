/*
 * Sec-WebSocket-Extensions (RFC 6455 9.1) and the negotiation of permessage-deflate (RFC 7692 7.1),
 * server side: offers in, the agreement and the answer's value out.
 */
#ifndef GALE_CORE_WS_EXTENSIONS_H
#define GALE_CORE_WS_EXTENSIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "gale.h"

/* What this side wants. */
typedef struct {
    bool takeover;       /* windows may be kept from message to message */
    uint8_t window_bits; /* 9-15: at most this for its own, and for the client's where it is kept */
} gale__ws_deflate_rules_t;

/* What was agreed on. The windows are 2^bits bytes. */
typedef struct {
    uint8_t server_bits; /* 9-15; 0: no offer was taken */
    uint8_t client_bits; /* 8-15 */
    bool server_takeover, client_takeover;
    bool server_bits_named, client_bits_named; /* stand in the answer */
} gale__ws_deflate_t;

/* Takes the first acceptable offer of a field, unless `agreed` has one from an earlier field of the
 * name. An offer with a parameter that is unknown, repeated or of a bad value is passed over, and
 * so is one that wants a server window of 2^8, for which zlib cannot compress. False: the field is
 * malformed, and so is the handshake (RFC 6455 9.1). One pass, no allocation. */
bool gale__ws_deflate_choose(gale_str_t field, gale__ws_deflate_rules_t rules,
                             gale__ws_deflate_t *agreed);

/* The answer's value; gives its length. */
enum { GALE__WS_DEFLATE_ANSWER = 144 };
size_t gale__ws_deflate_answer(char out[GALE__WS_DEFLATE_ANSWER], const gale__ws_deflate_t *agreed);

#endif
