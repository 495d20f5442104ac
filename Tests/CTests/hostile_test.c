/*
 * Crowds of hostile clients against a server in a process of its own. All the while somebody who
 * means well comes with a new connection each time and is served within a second; the crowd is cut;
 * what it cost, descriptors and memory, comes back.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "rig_child.h"

#define GOOD "GET /hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

enum {
    LIMIT_MS = 500,     /* of the server: heads, bodies, responses */
    ATTACK_MS = 1200,   /* by then all must be cut */
    PATIENCE_MS = 1000, /* of the one who means well */
    MOST = 400,
    BIG = 16 << 20
};

static char folder[32];
static gale_files_t *files;

/* -------------------------------------------------------------------------------------- the server */

static void open_files(gale_worker_t *worker, void *data) {
    (void)worker;
    (void)data;
    if (gale_files_open(&files, folder) < 0) _exit(20);
}

static void close_files(gale_worker_t *worker, void *data) {
    (void)worker;
    (void)data;
    gale_files_free(files);
}

static void on_request(gale_req_t *req, void *data) {
    (void)data;
    if (gale_req_path(req).len == 4) {
        if (gale_files_serve(files, req, gale_cstr("big"), NULL, 0) != 0) gale_resp_abort(req);
    } else {
        gale_respond_text(req, 200, "hello");
    }
}

static bool start(child_t *child, unsigned descriptors) {
    gale_config_t config = gale_config();
    gale_handler_t h = gale_handler();
    h.on_request = on_request;
    h.on_worker_start = open_files;
    h.on_worker_stop = close_files;
    config.workers = 1;
    config.header_timeout_ms = config.body_timeout_ms = LIMIT_MS;
    config.write_timeout_ms = config.rate_grace_ms = LIMIT_MS;
    config.min_receive_rate = 1000;
    config.min_send_rate = 100000;
    return child_start(child, &config, &h, descriptors);
}

/* --------------------------------------------------------------------------- one who means well */

typedef struct {
    int port;
    atomic_bool stop;
    unsigned served, worst_ms;
    pthread_t thread;
} good_t;

static uint64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void *come_again(void *arg) {
    good_t *g = arg;
    char answer[1024];
    while (!atomic_load(&g->stop)) {
        uint64_t begun = now_ms();
        bool served = false;
        while (!served && now_ms() - begun < PATIENCE_MS) { /* 503: it comes again */
            int fd = sock_connect(g->port);
            served = fd >= 0 && sock_send(fd, GOOD) &&
                     sock_read(fd, answer, sizeof answer, NULL) > 0 &&
                     rig_status_of(gale_cstr(answer)) == 200;
            if (fd >= 0) close(fd);
            usleep(30000);
        }
        unsigned took = (unsigned)(now_ms() - begun);
        if (took > g->worst_ms) g->worst_ms = took;
        g->served += served;
    }
    return NULL;
}

/* --------------------------------------------------------------------------------------- the crowd */

typedef struct {
    const char *name;
    int count;
    const char *first; /* what each sends */
    const char *drip;  /* what it sends byte by byte from then on; null: nothing */
    bool reads;        /* a byte now and then, through a small window */
    bool storms;       /* comes and goes as fast as it can */
} crowd_t;

static const crowd_t crowds[] = {
    {"says nothing", MOST, "", NULL, false, false},
    {"half a head and nothing more", MOST, "GET / HTTP/1.1\r\nHost: ", NULL, false, false},
    {"a head byte by byte", MOST, "GET / HTTP/1.1\r\nX: ", "abc\r\nX: ", false, false},
    {"a body byte by byte", MOST, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n",
     "abc", false, false},
    {"chunks byte by byte", MOST,
     "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", false,
     false},
    {"reads a file byte by byte", 40, "GET /big HTTP/1.1\r\nHost: h\r\n\r\n", NULL, true, false},
    {"reads nothing of a file", 40, "GET /big HTTP/1.1\r\nHost: h\r\n\r\n", NULL, false, false},
    {"comes and goes", 0, "", NULL, false, true},
};
enum { CROWDS = sizeof crowds / sizeof *crowds };

static int enter(int port, const crowd_t *crowd) {
    int fd = sock_connect(port), size = 2048;
    if (fd < 0) return -1;
    if (crowd->reads) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    sock_send(fd, crowd->first);
    return fd;
}

static void storm(int port) {
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    for (uint64_t end = now_ms() + ATTACK_MS; now_ms() < end;) {
        int fd = sock_connect(port);
        if (fd < 0) continue;
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(fd);
    }
}

/* Until none of the crowd is left in the server, though nobody has closed. `fds`: what it holds then,
 * besides those of the one who means well. */
static void attack(const child_t *child, const crowd_t *crowd, unsigned fds) {
    static int in[MOST];
    char byte;
    if (crowd->storms) {
        storm(child->port);
        return;
    }
    for (int i = 0; i < crowd->count; i++) in[i] = enter(child->port, crowd);
    size_t step = 0, len = crowd->drip == NULL ? 1 : strlen(crowd->drip);
    for (uint64_t end = now_ms() + ATTACK_MS; now_ms() < end; step++) {
        for (int i = 0; i < crowd->count; i++) {
            if (crowd->drip != NULL) send(in[i], crowd->drip + step % len, 1, MSG_NOSIGNAL);
            if (crowd->reads) recv(in[i], &byte, 1, MSG_DONTWAIT);
        }
        usleep(50000);
    }
    CHECK_MSG(child_fds_settle(child, fds + 2), "%s: not cut", crowd->name);
    for (int i = 0; i < crowd->count; i++) close(in[i]);
}

/* ------------------------------------------------------------------------------------------ both */

static void face(child_t *child, const crowd_t *crowd, unsigned fds) {
    good_t good = {.port = child->port};
    pthread_create(&good.thread, NULL, come_again, &good);
    attack(child, crowd, fds);
    atomic_store(&good.stop, true);
    pthread_join(good.thread, NULL);
    CHECK_MSG(good.served >= 10, "%s: served %u times", crowd->name, good.served);
    CHECK_MSG(good.worst_ms < PATIENCE_MS, "%s: somebody else waited %u ms", crowd->name,
              good.worst_ms);
}

static void make_folder(void) {
    char path[64];
    strcpy(folder, "/tmp/gale-hostile-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/big", folder);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    CHECK(fd >= 0 && write(fd, rig_pattern(BIG), BIG) == BIG);
    close(fd);
}

static void remove_folder(void) {
    char path[64];
    snprintf(path, sizeof path, "%s/big", folder);
    unlink(path);
    rmdir(folder);
}

/* Descriptors of a server that has served somebody. */
static unsigned at_rest(const child_t *child) {
    char answer[1024];
    int fd = sock_connect(child->port);
    CHECK(sock_send(fd, GOOD) && sock_read(fd, answer, sizeof answer, NULL) > 0);
    close(fd);
    usleep(100000);
    return child_fds(child);
}

TEST(hostile, crowds) {
    child_t child;
    make_folder();
    REQUIRE(start(&child, 0));
    unsigned fds = at_rest(&child);
    for (int i = 0; i < CROWDS; i++) {
        face(&child, &crowds[i], fds);
        CHECK_MSG(child_fds_settle(&child, fds), "%s: %u descriptors instead of %u", crowds[i].name,
                  child_fds(&child), fds);
    }
    unsigned before = child_rss_kb(&child);
    for (int i = 2; i < CROWDS; i += 3) face(&child, &crowds[i], fds); /* once more */
    CHECK(child_fds_settle(&child, fds));
    CHECK_MSG(SANITIZED || child_rss_kb(&child) < before + 4096, "%u KB instead of %u",
              child_rss_kb(&child), before);
    child_end(&child);
    remove_folder();
}

/* With descriptors for a few only, each crowd larger than that. */
TEST(hostile, crowds_without_descriptors) {
    enum { DESCRIPTORS = 96 };
    child_t child;
    make_folder();
    REQUIRE(start(&child, DESCRIPTORS));
    unsigned fds = at_rest(&child);
    for (int i = 0; i < 2; i++) face(&child, &crowds[i], fds);
    CHECK_MSG(child_fds_settle(&child, fds), "%u descriptors instead of %u", child_fds(&child),
              fds);
    child_end(&child);
    remove_folder();
}
