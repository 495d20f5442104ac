/*
 * Work that takes long is done on another thread, and answered from there: the handler keeps a
 * gale_ref_t, which may be copied, kept for ever and used on any thread. If the client has left
 * meanwhile, gale_ref_respond says GALE_EGONE.
 *
 *     cc worker_thread.c $(pkg-config --cflags --libs gale) -pthread && ./a.out [PORT]
 *     curl http://127.0.0.1:8080/27
 */
#include <gale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "arguments.h"

typedef struct job {
    gale_ref_t ref; /* whom to answer */
    unsigned n;     /* which Fibonacci number */
    struct job *next;
} job_t;

static gale_server_t *server;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static job_t *first, **last = &first;
static bool stopping;

static void enqueue(job_t *job) {
    pthread_mutex_lock(&lock);
    *last = job;
    last = &job->next;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

/* The next job; null when the program stops. */
static job_t *dequeue(void) {
    pthread_mutex_lock(&lock);
    while (first == NULL && !stopping) pthread_cond_wait(&changed, &lock);
    job_t *job = first;
    if (job != NULL && (first = job->next) == NULL) last = &first;
    pthread_mutex_unlock(&lock);
    return job;
}

static unsigned long long fibonacci(unsigned n) { /* slow on purpose */
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static void *work(void *unused) {
    for (job_t *job; (job = dequeue()) != NULL; free(job)) {
        char text[32];
        int len = snprintf(text, sizeof text, "%llu\n", fibonacci(job->n));
        gale_header_t type = {gale_cstr("Content-Type"), gale_cstr("text/plain")};
        gale_ref_respond(server, job->ref, 200, &type, 1, gale_buf_copy(text, (size_t)len));
    }
    return NULL;
}

/* Runs on the loop: hands the work over and returns at once, so other clients never wait for it. */
static void on_request(gale_req_t *req, void *data) {
    gale_str_t path = gale_req_path(req);
    unsigned n = 0;
    size_t i = 1;
    for (; i < path.len && path.ptr[i] >= '0' && path.ptr[i] <= '9' && n <= 40; i++) {
        n = n * 10 + (unsigned)(path.ptr[i] - '0');
    }
    if (i == 1 || i < path.len || n > 40) {
        gale_respond_text(req, 404, "want /N with N from 0 to 40\n");
        return;
    }
    job_t *job = malloc(sizeof *job);
    if (job == NULL) {
        gale_respond_text(req, 503, "out of memory\n");
        return;
    }
    *job = (job_t){.ref = gale_req_ref(req), .n = n};
    enqueue(job);
}

static void on_signal(int number) { gale_server_stop(server); }

static void on_signals(void (*handler)(int)) {
    signal(SIGINT, handler);
    signal(SIGTERM, handler);
}

int main(int argc, char **argv) {
    take_words("worker_thread", "usage: worker_thread [PORT]\n", argc, argv, 1);
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%s",
             take_port("worker_thread", argc > 1 ? argv[1] : "8080"));

    gale_handler_t handler = gale_handler();
    handler.on_request = on_request;
    if (gale_server_new(&server, NULL) < 0) return 1;
    gale_server_handle(server, &handler, NULL);
    if (gale_server_listen(server, url) < 0) {
        fprintf(stderr, "worker_thread: %s\n", gale_server_errmsg(server));
        gale_server_free(server);
        return 1;
    }
    on_signals(on_signal);
    pthread_t thread;
    if (pthread_create(&thread, NULL, work, NULL) != 0) return 1;

    printf("http://127.0.0.1:%d/27 asks a thread for the 27th Fibonacci number\n",
           gale_server_port(server, 0));
    fflush(stdout);
    int status = gale_server_run(server); /* until SIGINT; open requests are answered first */
    on_signals(SIG_IGN);                  /* there is nothing left to stop */

    pthread_mutex_lock(&lock);
    stopping = true;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
    pthread_join(thread, NULL);
    gale_server_free(server); /* after the last gale_ref_respond */
    return status < 0;
}
