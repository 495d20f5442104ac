/*
 * Gale inside a program that has a libuv loop already: here beside a timer of the program's own.
 * Nothing of Gale runs on another thread, so the handler reads the program's state without a lock.
 *
 *     cc embed_loop.c $(pkg-config --cflags --libs gale libuv) && ./a.out [PORT]
 */
#include <gale.h>
#include <signal.h>
#include <stdio.h>
#include <uv.h>

#include "arguments.h"

static unsigned ticks;
static uv_timer_t timer;
static uv_signal_t interrupt;
static gale_server_t *server;

static void on_tick(uv_timer_t *t) { ticks++; }

static void on_request(gale_req_t *req, void *data) {
    char text[64];
    snprintf(text, sizeof text, "%u ticks so far\n", ticks);
    gale_respond_text(req, 200, text);
}

/* Once everything on the loop is stopped and closed, uv_run returns. */
static void on_interrupt(uv_signal_t *signal, int number) {
    gale_server_stop(server);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_close((uv_handle_t *)&interrupt, NULL);
}

int main(int argc, char **argv) {
    take_words("embed_loop", "usage: embed_loop [PORT]\n", argc, argv, 1);
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%s",
             take_port("embed_loop", argc > 1 ? argv[1] : "8080"));

    gale_handler_t handler = gale_handler();
    handler.on_request = on_request;
    if (gale_server_new(&server, NULL) < 0) return 1;
    gale_server_handle(server, &handler, NULL);
    if (gale_server_listen(server, url) < 0) {
        fprintf(stderr, "embed_loop: %s\n", gale_server_errmsg(server));
        gale_server_free(server);
        return 1;
    }

    uv_loop_t loop;
    uv_loop_init(&loop);
    uv_timer_init(&loop, &timer);
    uv_timer_start(&timer, on_tick, 100, 100);
    uv_signal_init(&loop, &interrupt);
    uv_signal_start(&interrupt, on_interrupt, SIGINT);
    int status = gale_server_attach(server, &loop);
    if (status < 0) {
        fprintf(stderr, "embed_loop: %s\n", gale_server_errmsg(server));
        return 1;
    }
    printf("http://127.0.0.1:%d tells how often the timer has fired\n",
           gale_server_port(server, 0));
    fflush(stdout);

    uv_run(&loop, UV_RUN_DEFAULT);
    gale_server_free(server);
    return uv_loop_close(&loop) < 0; /* UV_EBUSY if a handle were left */
}
