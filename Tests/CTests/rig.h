/*
 * The bench the server's tests stand on: a server on a uv loop of its own, in-memory clients whose
 * answers are collected, a handler that keeps a log of what it was called with and leaves the rest
 * to the test. The loop is turned by hand, and never for ever. For real sockets see rig_socket.h.
 */
#ifndef GALE_TESTS_RIG_H
#define GALE_TESTS_RIG_H

#include <uv.h>

#include "test.h"

/* Bytes that grow; text is always NUL-terminated. */
typedef struct {
    char *text;
    size_t len, cap;
} rig_text_t;

void rig_text_add(rig_text_t *t, gale_str_t bytes);
void rig_text_addf(rig_text_t *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void rig_text_clear(rig_text_t *t);
void rig_text_free(rig_text_t *t);

typedef struct rig {
    uv_loop_t loop;
    gale_server_t *server;
    gale_worker_t *worker;
    /* Set before rig_open; null answers do nothing. `streaming` gives the handler an on_body. */
    gale_config_t config;
    bool streaming;
    void (*request)(struct rig *rig, gale_req_t *req);
    void (*body)(struct rig *rig, gale_req_t *req, gale_str_t chunk, bool last);
    void (*drain)(struct rig *rig, gale_req_t *req);
    void (*done)(struct rig *rig, gale_req_t *req, int status);
    void *arg;
    const char *url; /* listens there */
    /* What happened. */
    unsigned requests, bodies, lasts, drains, dones;
    int last_status;
    gale_req_t *req; /* the last request; null when it is over */
    rig_text_t log;  /* "R GET /a;B 5 last;D GALE_OK;" */
    rig_text_t in;   /* bytes of bodies */
    bool keep_log;
} rig_t;

/* A rig with defaults, then what the test sets, then rig_open. */
void rig_init(rig_t *rig);
/* Makes the server and attaches it. */
void rig_open(rig_t *rig);
/* Frees the server, lets the loop finish, and checks that nothing stayed open. */
void rig_close(rig_t *rig);
/* Turns the loop `turns` times without waiting. */
void rig_turn(rig_t *rig, unsigned turns);
/* Turns until *flag is `want` or `ms` have passed; whether it is. */
bool rig_until(rig_t *rig, const unsigned *flag, unsigned want, unsigned ms);
/* Turns for about so long. */
void rig_wait(rig_t *rig, unsigned ms);

/* An in-memory client. */
typedef struct {
    gale_peer_t *peer; /* null once it is closed */
    unsigned closes;
    unsigned ends; /* of the server's side of a tunnel */
    rig_text_t out;
} rig_client_t;

void rig_connect(rig_t *rig, rig_client_t *client);
int rig_send(rig_client_t *client, const char *text);
int rig_send_bytes(rig_client_t *client, const void *bytes, size_t len);
/* What has come since the last call of this, with the Date masked. Lives until the next call. */
gale_str_t rig_take(rig_client_t *client);
/* The client leaves, if it is still there; its memory goes. Turns the loop. */
void rig_drop(rig_t *rig, rig_client_t *client);
/* Connects, sends, turns the loop, takes the answer into `out` (NUL-terminated), leaves. */
void rig_ask(rig_t *rig, const char *text, char *out, size_t size);

/* Looking at answers. */
void rig_mask_date(char *bytes, size_t len);
bool rig_has(gale_str_t text, const char *part);
unsigned rig_count(gale_str_t text, const char *part);
/* The bytes behind the first empty line. */
gale_str_t rig_body_of(gale_str_t response);
/* Status of the first response, 0 if there is none. */
int rig_status_of(gale_str_t response);

/* An owned buffer that counts: *freed goes up by one when it is let go. */
gale_buf_t rig_buf(const void *bytes, size_t len, unsigned *freed);
/* `len` bytes of a pattern that shows misplaced pieces; lives for ever. len <= 16 MiB. */
const char *rig_pattern(size_t len);
/* Open descriptors of the process. */
unsigned rig_open_fds(void);

#endif
