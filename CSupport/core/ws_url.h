/*
 * Where a WebSocket is, in text (RFC 6455 3):
 *
 *     ws://HOST[:PORT][/PATH][?QUERY]      HOST a name, an address, or [an IPv6 one]; PORT 80
 *     ws+unix:FILE[:/PATH[?QUERY]]         a unix socket's file; ws+unix:@NAME in Linux's abstract
 *                                          namespace
 * wss:// is the first over TLS.
 */
#ifndef GALE_CORE_WS_URL_H
#define GALE_CORE_WS_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "gale.h"

enum { GALE__WS_URL_MAX = 8192 };

typedef struct {
    bool secure;
    bool is_unix;
    uint16_t port;
    gale_str_t host;      /* without brackets; of a unix socket its path */
    gale_str_t authority; /* for Host: with brackets and port, as it stands there */
    gale_str_t target;    /* path and query, as they stand there: perhaps empty, or only a query */
} gale__ws_url_t;

/* Slices of `url`. False when it is no such URL; one with userinfo or a fragment is none, and a host
 * is no percent-encoded one. */
bool gale__ws_url_parse(gale__ws_url_t *out, gale_str_t url);

/* The URL that a Location leads to from `from` (RFC 9110 10.2.2), where http is as good as ws: its
 * length, without NUL; 0 when it is too long for GALE__WS_URL_MAX, or leads from a unix socket to
 * another place. A fragment is left out. Whether it is a URL shows when it is parsed. */
size_t gale__ws_url_follow(char out[GALE__WS_URL_MAX], gale_str_t from, gale_str_t location);

/* Whether both lead to the same server. */
bool gale__ws_url_same_server(const gale__ws_url_t *a, const gale__ws_url_t *b);

#endif
