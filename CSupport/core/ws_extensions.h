/*
 * Sec-WebSocket-Extensions (RFC 6455 9.1) and the negotiation of permessage-deflate (RFC 7692 7.1).
 * Server side: offers in, the agreement and the answer's value out. Client side: the offer out, the
 * answer in.
 */
#ifndef GALE_CORE_WS_EXTENSIONS_H
#define GALE_CORE_WS_EXTENSIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "gale.h"

/* What this side wants. */
typedef struct {
    bool takeover;       /* windows may be kept from message to message */
    uint8_t window_bits; /* 9-15: at most this for its own, and for the peer's where it is kept */
} gale__ws_deflate_rules_t;

/* What was agreed on. The windows are 2^bits bytes. */
typedef struct {
    uint8_t server_bits; /* 9-15, on the client's side 8-15; 0: no offer was taken */
    uint8_t client_bits; /* 8-15, on the client's side 9-15 */
    bool server_takeover, client_takeover;
    bool server_bits_named, client_bits_named; /* stand in the answer */
} gale__ws_deflate_t;

/* Takes the first acceptable offer of a field, unless `agreed` has one from an earlier field of the
 * name. An offer with a parameter that is unknown, repeated or of a bad value is passed over, and
 * so is one that wants a server window of 2^8, for which zlib cannot compress. False: the field is
 * malformed, and so is the handshake (RFC 6455 9.1). One pass, no allocation. */
bool gale__ws_deflate_choose(gale_str_t field, gale__ws_deflate_rules_t rules,
                             gale__ws_deflate_t *agreed);

/* The same with client and server in each other's place: to whom is the client's side what the
 * server's is to it. */
static inline gale__ws_deflate_t gale__ws_deflate_turned(const gale__ws_deflate_t *a) {
    return (gale__ws_deflate_t){.server_bits = a->client_bits,
                                .client_bits = a->server_bits,
                                .server_takeover = a->client_takeover,
                                .client_takeover = a->server_takeover};
}

/* The answer's value; gives its length. */
enum { GALE__WS_DEFLATE_ANSWER = 144 };
size_t gale__ws_deflate_answer(char out[GALE__WS_DEFLATE_ANSWER], const gale__ws_deflate_t *agreed);

/* What a client offers; gives its length. */
size_t gale__ws_deflate_offer(char out[GALE__WS_DEFLATE_ANSWER], gale__ws_deflate_rules_t rules);
/* Takes the server's answer to that. False when it is malformed, another extension, the second one,
 * or not as it was offered: then the handshake has failed (RFC 6455 4.1, RFC 7692 7.1). A client's
 * window of 2^8 is refused, for which zlib cannot compress. */
bool gale__ws_deflate_agreed(gale_str_t field, gale__ws_deflate_rules_t rules,
                             gale__ws_deflate_t *agreed);

#endif
