/* Topics over several workers and real sockets: publishers on threads of their own, sockets that
 * come and go meanwhile, a server that stops under it. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "rig_socket.h"
#include "rig_topic.h"

enum { WORKERS = 3, PUBLISHERS = 3, MESSAGES = 400, SOCKETS = 9 };

typedef struct {
    gale_server_t *server;
    int number;
    atomic_bool *over; /* null: MESSAGES, not until then */
} publisher_t;

static atomic_uint joined;

static void on_message(gale_ws_t *ws, int kind, gale_str_t bytes, void *data) {
    (void)data;
    gale_ws_unsubscribe(ws, gale_cstr("news"));
    gale_ws_publish(ws, gale_cstr("news"), kind, bytes);
    gale_ws_subscribe(ws, gale_cstr("news"));
}

static void accept_one(gale_req_t *req, void *data) {
    gale_ws_handler_t h = gale_ws_handler();
    gale_ws_t *ws;
    (void)data;
    h.on_message = on_message;
    if (gale_ws_accept(req, &h, NULL, NULL, 0, &ws) < 0) return;
    CHECK_EQ_INT(gale_ws_subscribe(ws, gale_cstr("news")), 0);
    atomic_fetch_add(&joined, 1);
}

static gale_server_t *start(uint32_t workers) {
    gale_config_t config = gale_config();
    gale_handler_t h = gale_handler();
    config.workers = workers;
    config.ws_slow_limit = 64 << 20;
    h.on_request = accept_one;
    atomic_store(&joined, 0);
    return live_start(&config, &h, NULL, "http://127.0.0.1:0");
}

static int join_one(const gale_server_t *server) {
    char answer[512];
    int fd = sock_connect(gale_server_port(server, 0));
    if (fd >= 0 &&
        (!sock_send(fd, RIG_UPGRADE) || sock_read(fd, answer, sizeof answer, "\r\n\r\n") <= 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* "2:17;" is the 17th of publisher 2. */
static void *publish(void *arg) {
    const publisher_t *p = arg;
    char text[16];
    for (int i = 0; p->over == NULL ? i < MESSAGES : !atomic_load(p->over); i++) {
        snprintf(text, sizeof text, "%d:%04d", p->number, i % 10000);
        CHECK_EQ_INT(gale_publish(p->server, gale_cstr("news"), GALE_WS_TEXT, gale_cstr(text)), 0);
        if (i % 50 == 0) usleep(1000);
    }
    return NULL;
}

/* Reads until each publisher's last has come; all must have come, in the order of each. */
static void check_all(int fd) {
    enum { FRAME = 2 + 6, ALL = PUBLISHERS * MESSAGES * FRAME };
    static char bytes[ALL + 1];
    int next[PUBLISHERS] = {0};
    rig_text_t text = {0};
    long n = sock_read(fd, bytes, sizeof bytes, NULL);
    CHECK_EQ_INT(n, ALL);
    CHECK_EQ_UINT(room_read(&text, gale_str(bytes, n > 0 ? (size_t)n : 0), NULL), ALL);
    for (const char *at = text.text; at != NULL && *at != '\0';) {
        int who = 0, number = -1, used = 0;
        REQUIRE(sscanf(at, "%d:%d;%n", &who, &number, &used) == 2 && who < PUBLISHERS);
        CHECK_EQ_INT(number, next[who]);
        next[who] = number + 1;
        at += used;
    }
    for (int i = 0; i < PUBLISHERS; i++) CHECK_EQ_INT(next[i], MESSAGES);
    rig_text_free(&text);
}

TEST(topic_threads, order_of_each_publisher_on_every_worker) {
    gale_server_t *server = start(WORKERS);
    REQUIRE(server != NULL);
    int fds[SOCKETS];
    pthread_t threads[PUBLISHERS];
    publisher_t publishers[PUBLISHERS];
    for (int i = 0; i < SOCKETS; i++) REQUIRE((fds[i] = join_one(server)) >= 0);
    for (int i = 0; i < PUBLISHERS; i++) {
        publishers[i] = (publisher_t){.server = server, .number = i};
        REQUIRE(pthread_create(&threads[i], NULL, publish, &publishers[i]) == 0);
    }
    for (int i = 0; i < SOCKETS; i++) check_all(fds[i]);
    for (int i = 0; i < PUBLISHERS; i++) pthread_join(threads[i], NULL);
    gale_stats_t stats = {.struct_size = sizeof stats};
    for (int i = 0; i < 1000 && stats.deliveries < SOCKETS * PUBLISHERS * MESSAGES; i++) {
        usleep(1000); /* a worker counts behind the call that sends */
        gale_stats(server, &stats);
    }
    CHECK_EQ_UINT(stats.deliveries, SOCKETS * PUBLISHERS * MESSAGES);
    CHECK_EQ_UINT(stats.subscriptions, SOCKETS);
    for (int i = 0; i < SOCKETS; i++) close(fds[i]);
    live_end(server);
}

/* A publisher in a callback of one worker: its order holds on the others. */
static void publish_many(gale_server_t *server, gale_ref_t ref, void *arg) {
    (void)ref;
    publisher_t p = {.server = server, .number = *(int *)arg};
    publish(&p);
}

static atomic_ullong a_ref;

static void accept_and_tell(gale_req_t *req, void *data) {
    gale_ws_handler_t h = gale_ws_handler();
    gale_ws_t *ws;
    (void)data;
    if (gale_ws_accept(req, &h, NULL, NULL, 0, &ws) < 0) return;
    gale_ws_subscribe(ws, gale_cstr("news"));
    atomic_store(&a_ref, gale_ws_ref(ws).bits);
}

TEST(topic_threads, order_of_publishers_in_callbacks) {
    gale_config_t config = gale_config();
    gale_handler_t h = gale_handler();
    int numbers[PUBLISHERS], fds[PUBLISHERS];
    gale_ref_t refs[PUBLISHERS];
    config.workers = PUBLISHERS;
    h.on_request = accept_and_tell;
    gale_server_t *server = live_start(&config, &h, NULL, "http://127.0.0.1:0");
    REQUIRE(server != NULL);
    for (int i = 0; i < PUBLISHERS; i++) {
        REQUIRE((fds[i] = join_one(server)) >= 0);
        refs[i].bits = atomic_load(&a_ref);
        numbers[i] = i;
    }
    for (int i = 0; i < PUBLISHERS; i++) {
        CHECK_EQ_INT(gale_ref_post(server, refs[i], publish_many, &numbers[i]), 0);
    }
    for (int i = 0; i < PUBLISHERS; i++) check_all(fds[i]);
    for (int i = 0; i < PUBLISHERS; i++) close(fds[i]);
    live_end(server);
}

/* Sockets come, publish, leave with a reset or without, while others publish; and the server stops
 * or is freed in the midst of it. Nothing is checked but that it ends, and leaves nothing. */
TEST(topic_threads, coming_and_going_and_stopping) {
    for (int round = 0; round < 3; round++) {
        gale_server_t *server = start(WORKERS);
        REQUIRE(server != NULL);
        atomic_bool over = false;
        pthread_t threads[2];
        publisher_t publishers[2];
        rig_text_t frame = {0};
        rig_frame(&frame, 0x81, "hello!", 6);
        for (int i = 0; i < 2; i++) {
            publishers[i] = (publisher_t){.server = server, .number = i, .over = &over};
            REQUIRE(pthread_create(&threads[i], NULL, publish, &publishers[i]) == 0);
        }
        int fds[SOCKETS] = {0};
        for (int i = 0; i < 6 * SOCKETS; i++) {
            int *fd = &fds[i % SOCKETS];
            if (*fd > 0) close(*fd);
            REQUIRE((*fd = join_one(server)) >= 0);
            CHECK(sock_send_bytes(*fd, frame.text, frame.len));
        }
        CHECK_EQ_UINT(atomic_load(&joined), 6 * SOCKETS);
        gale_server_stop(server);
        if (round == 1) gale_server_stop(server);
        if (round != 2) gale_server_join(server);
        usleep(2000); /* they go on a little */
        atomic_store(&over, true);
        for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
        for (int i = 0; i < SOCKETS; i++) close(fds[i]);
        gale_server_free(server);
        rig_text_free(&frame);
    }
}
