#include "broadcast.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* One socket, in the list of its worker. Only that worker's thread touches either, so nothing here
 * locks. */
typedef struct member {
    gale_ws_t *ws;
    gale_server_t *server;
    struct member *next, **link;
} member_t;

typedef struct room {
    member_t *first;
} room_t;

/* One message for everybody: shared by all workers and send queues, freed by the last of them. */
typedef struct {
    atomic_size_t holders;
    int kind;
    size_t len;
    char bytes[];
} message_t;

static void release(void *arg) {
    message_t *message = arg;
    if (atomic_fetch_sub(&message->holders, 1) == 1) free(message);
}

/* On each worker: hands the message to the sockets of that worker, without a copy. */
static void deliver(void *arg) {
    message_t *message = arg;
    room_t *room = gale_worker_data(gale_worker_current());
    for (member_t *m = room != NULL ? room->first : NULL, *next; m != NULL; m = next) {
        next = m->next; /* a send that fails may end the socket */
        atomic_fetch_add(&message->holders, 1);
        gale_ws_send_buf(m->ws, message->kind,
                         (gale_buf_t){message->bytes, message->len, release, message});
    }
    release(message);
}

static void on_message(gale_ws_t *ws, int kind, gale_str_t bytes, void *data) {
    gale_server_t *server = ((member_t *)data)->server;
    message_t *message = malloc(sizeof *message + bytes.len);
    if (message == NULL) {
        gale_ws_close(ws, 1011, gale_cstr("out of memory"));
        return;
    }
    size_t workers = gale_server_workers(server);
    atomic_init(&message->holders, workers + 1); /* one for each worker, one for this function */
    message->kind = kind;
    message->len = bytes.len;
    if (bytes.len > 0) memcpy(message->bytes, bytes.ptr, bytes.len);
    for (size_t i = 0; i < workers; i++) {
        gale_worker_t *worker = gale_server_worker(server, i);
        if (worker == NULL || gale_worker_post(worker, deliver, message) < 0) release(message);
    }
    release(message);
}

static void on_close(gale_ws_t *ws, int code, gale_str_t reason, void *data) {
    member_t *member = data;
    *member->link = member->next;
    if (member->next != NULL) member->next->link = member->link;
    free(member);
}

void broadcast_join(gale_req_t *req, gale_server_t *server) {
    room_t *room = gale_worker_data(gale_req_worker(req));
    member_t *member = room != NULL ? calloc(1, sizeof *member) : NULL;
    if (member == NULL) {
        gale_respond_text(req, 503, "out of memory\n");
        return;
    }
    gale_ws_handler_t handler = gale_ws_handler();
    handler.on_message = on_message;
    handler.on_close = on_close;
    member->server = server;
    if (gale_ws_accept(req, &handler, member, NULL, 0, &member->ws) < 0) {
        free(member); /* no valid handshake; it is answered already */
        return;
    }
    member->next = room->first;
    member->link = &room->first;
    if (member->next != NULL) member->next->link = &member->next;
    room->first = member;
}

void broadcast_worker_start(gale_worker_t *worker, void *server) {
    gale_worker_set_data(worker, calloc(1, sizeof(room_t)));
}

void broadcast_worker_stop(gale_worker_t *worker, void *server) {
    free(gale_worker_data(worker));
    gale_worker_set_data(worker, NULL);
}
