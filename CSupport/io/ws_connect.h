/*
 * WebSockets that this process opens: URL, connection, handshake (RFC 6455 4.1; WS-19). Until it is
 * open, a socket's connection is in GALE__PHASE_CONNECT and `connecting` holds what that needs; it is
 * said to have sent its close, so that nothing can be sent on it.
 */
#ifndef GALE_IO_WS_CONNECT_H
#define GALE_IO_WS_CONNECT_H

#include "dial.h"
#include "ws.h"
#include "ws_handshake.h"

enum { GALE__WS_WHY = 256 };

struct gale__ws_connecting {
    gale__ws_client_t *client;
    void (*on_open)(gale_ws_t *ws, void *data);
    gale__dial_t dial;
    uint64_t due_ms; /* all of it */
    char *text;      /* the URL, then subprotocols, fields and secrets */
    char *moved;     /* the URL a redirect has led to */
    gale__ws_url_t url;
    gale__ws_request_t request;
    gale_str_t url_text, fields, secrets; /* secrets: for the first server alone */
    uint32_t redirects_left, redirects_max;
    bool asked;       /* the request is on its way */
    bool is_answered; /* `answer` is whole */
    /* The answer: its head as far as it has come. */
    gale__head_limits_t limits;
    gale__answer_t answer;
    gale_header_t *table;
    char *head;
    size_t head_len, head_cap;
    uint32_t interim; /* bytes of answers before it */
    gale__ws_agreed_t agreed;
    char why[GALE__WS_WHY]; /* it failed; empty: see the code */
};

/* What gale_ws_connect gives; the options are complete, and all pointers good. */
int gale__ws_connect(gale_worker_t *w, gale_str_t url, const gale_ws_handler_t *h, void *data,
                     const gale_ws_connect_options_t *options, gale_ws_t **out);

/* From its connection. */
size_t gale__ws_connect_feed(gale_ws_t *ws, const char *bytes, size_t len);
void gale__ws_connect_expired(gale_ws_t *ws);
/* The connection is gone before it was open: on_close, then free. */
void gale__ws_connect_failed(gale_ws_t *ws, int reason);

/* Of ws_connect_new.c: all that stands before the first attempt, or an error; and back. */
int gale__ws_connecting_new(gale__ws_client_t *client, gale_str_t url,
                            const gale_ws_connect_options_t *options);
void gale__ws_connecting_free(gale__ws_client_t *client);
/* Takes the key for one request; 0 or an error. */
int gale__ws_connecting_key(gale__ws_connecting_t *k);

#endif
