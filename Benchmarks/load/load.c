// The loader: keeps every connection busy and tells what a request cost the server.
//
// Each of the connections sends DEPTH requests in one write, waits for their answers, checks
// them, and sends again. After the warm-up a window is opened: answers are counted and the
// server's CPU time is read by this process at the window's two ends, so that both figures
// belong to the same span of time, to within the requests in flight.

#define _GNU_SOURCE
#include "cpu_clock.h"
#include "responses.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256, READ_SIZE = 65536, STALL_SECONDS = 5 };

typedef struct {
    int port;
    const char *path;
    const char *body;
    int connections;
    int depth;
    double warmup;
    double seconds;
    cpu_clock_set_t server;
} options_t;

typedef struct {
    int fd;
    int waiting; // answers that are still to come
    responses_t responses;
} connection_t;

typedef struct {
    const options_t *options;
    connection_t *connections;
    int alive;
    int epoll;
    char *batch; // the bytes of DEPTH requests
    size_t batch_size;
    uint64_t answers;
    uint64_t failures; // connections lost to an error, an early close or a wrong answer
} load_t;

static void die(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void build_batch(load_t *load) {
    char one[1024];
    int size = snprintf(one, sizeof one, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n",
                        load->options->path, load->options->port);
    if (size < 0 || (size_t)size >= sizeof one) {
        errno = ENAMETOOLONG;
        die("path");
    }
    load->batch_size = (size_t)size * (size_t)load->options->depth;
    load->batch = malloc(load->batch_size);
    if (load->batch == NULL) {
        die("malloc");
    }
    for (int i = 0; i < load->options->depth; i++) {
        memcpy(load->batch + i * size, one, (size_t)size);
    }
}

static void fail(load_t *load, connection_t *connection) {
    close(connection->fd);
    connection->fd = -1;
    load->failures++;
    load->alive--;
}

static void ask(load_t *load, connection_t *connection) {
    // The socket blocks, and the server has nothing else of ours to read: it is whole.
    if (write(connection->fd, load->batch, load->batch_size) != (ssize_t)load->batch_size) {
        fail(load, connection);
        return;
    }
    connection->waiting = load->options->depth;
}

static void open_connection(load_t *load, connection_t *connection) {
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)load->options->port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd < 0 ||
        connect(connection->fd, (struct sockaddr *)&address, sizeof address) != 0) {
        die("connect");
    }
    int on = 1;
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    responses_init(&connection->responses, load->options->body);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, connection->fd, &event) != 0) {
        die("epoll_ctl");
    }
    load->alive++;
}

static void open_connections(load_t *load) {
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    load->connections = calloc((size_t)load->options->connections, sizeof *load->connections);
    if (load->epoll < 0 || load->connections == NULL) {
        die("start");
    }
    for (int i = 0; i < load->options->connections; i++) {
        open_connection(load, &load->connections[i]);
    }
    for (int i = 0; i < load->options->connections; i++) {
        ask(load, &load->connections[i]);
    }
}

static void take(load_t *load, connection_t *connection) {
    static char buffer[READ_SIZE];
    ssize_t size = read(connection->fd, buffer, sizeof buffer);
    int count = size > 0 ? responses_feed(&connection->responses, buffer, (size_t)size) : -1;
    if (count < 0 || count > connection->waiting) {
        fail(load, connection);
        return;
    }
    load->answers += (uint64_t)count;
    connection->waiting -= count;
    if (connection->waiting == 0) {
        ask(load, connection);
    }
}

// Returns the time at which it stopped: at the deadline, or when nothing is left to wait for.
static double run_until(load_t *load, double deadline) {
    struct epoll_event events[EVENTS];
    double time = now();
    while (time < deadline && load->alive > 0) {
        int count = epoll_wait(load->epoll, events, EVENTS, STALL_SECONDS * 1000);
        if (count == 0) {
            load->failures += (uint64_t)load->alive; // nobody answered for that long
            return now();
        }
        for (int i = 0; i < count; i++) {
            take(load, events[i].data.ptr);
        }
        time = now();
    }
    return time;
}

static void usage(void) {
    fprintf(stderr, "usage: load --port PORT [--path /hello] [--body TEXT] [--connections 64] "
                    "[--depth 1] [--warmup 0.2] [--seconds 1] [--cpu-of PID]...\n");
    exit(2);
}

static void add_pid(cpu_clock_set_t *set, const char *text) {
    if (set->count == CPU_CLOCK_MAX) {
        usage();
    }
    set->pids[set->count++] = atoi(text);
}

static options_t parse(int argc, char **argv) {
    options_t options = {
        .path = "/hello",
        .body = "Hello, World!",
        .connections = 64,
        .depth = 1,
        .warmup = 0.2,
        .seconds = 1,
    };
    static const struct option LONG[] = {
        {"port", required_argument, NULL, 'p'},
        {"path", required_argument, NULL, 'u'},
        {"body", required_argument, NULL, 'b'},
        {"connections", required_argument, NULL, 'c'},
        {"depth", required_argument, NULL, 'd'},
        {"warmup", required_argument, NULL, 'w'},
        {"seconds", required_argument, NULL, 's'},
        {"cpu-of", required_argument, NULL, 'o'},
        {NULL, 0, NULL, 0},
    };
    int flag;
    while ((flag = getopt_long(argc, argv, "", LONG, NULL)) != -1) {
        switch (flag) {
        case 'p':
            options.port = atoi(optarg);
            break;
        case 'u':
            options.path = optarg;
            break;
        case 'b':
            options.body = optarg;
            break;
        case 'c':
            options.connections = atoi(optarg);
            break;
        case 'd':
            options.depth = atoi(optarg);
            break;
        case 'w':
            options.warmup = atof(optarg);
            break;
        case 's':
            options.seconds = atof(optarg);
            break;
        case 'o':
            add_pid(&options.server, optarg);
            break;
        default:
            usage();
        }
    }
    if (optind != argc || options.port < 1 || options.port > 65535 || options.connections < 1 ||
        options.depth < 1 || options.depth > 1024 || options.body[0] == '\0') {
        usage();
    }
    return options;
}

int main(int argc, char **argv) {
    options_t options = parse(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    load_t load = {.options = &options};
    build_batch(&load);
    open_connections(&load);
    run_until(&load, now() + options.warmup);

    uint64_t before = load.answers;
    int64_t cpu = cpu_clock_read(&options.server);
    double start = now();
    double end = run_until(&load, start + options.seconds);
    int64_t cpu_end = cpu_clock_read(&options.server);
    if (cpu < 0 || cpu_end < 0) {
        fprintf(stderr, "load: the server is gone\n");
        return 1;
    }
    printf("{\"requests\": %" PRIu64 ", \"seconds\": %.6f, \"cpu_ns\": %" PRId64
           ", \"failures\": %" PRIu64 "}\n",
           load.answers - before, end - start, cpu_end - cpu, load.failures);
    return 0;
}
