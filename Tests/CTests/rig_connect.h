/*
 * WebSockets that a rig's worker opens: what becomes of them, and servers to open them to: the rig's
 * own, and one played by hand, which says what the test likes.
 */
#ifndef GALE_TESTS_RIG_CONNECT_H
#define GALE_TESTS_RIG_CONNECT_H

#include "rig.h"
#include "rig_ws.h"

/* One that is opened; its log begins with "O 101 subprotocol;". */
typedef struct {
    rig_ws_t ws; /* what its callbacks are given */
    gale_ws_connect_options_t options;
    unsigned opens;
    void (*opened)(gale_ws_t *ws);
} rig_dialed_t;

void rig_dialed_init(rig_dialed_t *d);
/* gale_ws_connect with a URL made of `format` and the port. */
int rig_dial(rig_t *rig, rig_dialed_t *d, const char *format, int port);
/* Lets go of what it has; it is closed. */
void rig_dialed_free(rig_dialed_t *d);
/* Turns until it is open, or closed; five seconds at most. */
bool rig_dialed_open(rig_t *rig, rig_dialed_t *d);
bool rig_dialed_closed(rig_t *rig, rig_dialed_t *d);

/* Turns the loop until the condition holds, five seconds at most. */
#define RIG_TURN_TO(rig, condition)                                                                \
    for (int rig_turns = 0; !(condition) && rig_turns < 5000; rig_turns++) rig_wait((rig), 1)

/* A server played by hand: a listening socket of 127.0.0.1, and the one client that came last. */
typedef struct {
    int listener, port, fd;
    char request[16384]; /* its head, NUL-terminated */
} rig_fake_t;

bool rig_fake_open(rig_fake_t *f);
void rig_fake_close(rig_fake_t *f);
/* Waits for a client and its whole request. */
bool rig_fake_accept(rig_t *rig, rig_fake_t *f);
void rig_fake_hang_up(rig_fake_t *f);
void rig_fake_send(rig_fake_t *f, gale_str_t bytes);
/* What the client has sent since, read without waiting; -1: it has closed. */
long rig_fake_read(rig_fake_t *f, char *out, size_t size);
/* The right answer to the request, with more fields, each with its line end. */
void rig_fake_answer(const rig_fake_t *f, rig_text_t *out, const char *fields);

#endif
