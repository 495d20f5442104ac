// The loader: keeps every connection busy and tells what a request cost the server.
//
// Each of the connections sends DEPTH requests in one write, waits for their answers, checks
// them, and sends again; with --close it asks once, waits until the server has closed, and is
// opened anew. After the warm-up a window is opened: answers are counted and the
// server's CPU time is read by this process at the window's two ends, so that both figures
// belong to the same span of time, to within the requests in flight.

#define _GNU_SOURCE
#include "connect.h"
#include "cpu_clock.h"
#include "responses.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256, READ_SIZE = 256 * 1024, STALL_SECONDS = 5 };

typedef struct {
    int port;
    const char *path;
    const char *post; // the body of a POST, or null for a GET
    const char *body; // of every answer
    size_t body_size;
    bool close; // a connection for each request
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
    unsigned opened;
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
    const options_t *o = load->options;
    char one[1024], length[64] = "";
    if (o->post != NULL) {
        snprintf(length, sizeof length, "Content-Type: text/plain\r\nContent-Length: %zu\r\n",
                 strlen(o->post));
    }
    int size = snprintf(one, sizeof one, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s%s\r\n%s",
                        o->post != NULL ? "POST" : "GET", o->path, o->port, length,
                        o->close ? "Connection: close\r\n" : "", o->post != NULL ? o->post : "");
    if (size < 0 || (size_t)size >= sizeof one) {
        errno = ENAMETOOLONG;
        die("request");
    }
    load->batch_size = (size_t)size * (size_t)o->depth;
    load->batch = malloc(load->batch_size);
    if (load->batch == NULL) {
        die("malloc");
    }
    for (int i = 0; i < o->depth; i++) {
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
    connection->fd = connect_to(load->options->port, load->opened++);
    if (connection->fd < 0) {
        die("connect");
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, connection->fd, &event) != 0) {
        die("epoll_ctl");
    }
}

static void open_connections(load_t *load) {
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    load->connections = calloc((size_t)load->options->connections, sizeof *load->connections);
    if (load->epoll < 0 || load->connections == NULL) {
        die("start");
    }
    for (int i = 0; i < load->options->connections; i++) {
        connection_t *connection = &load->connections[i];
        responses_init(&connection->responses, load->options->body, load->options->body_size);
        open_connection(load, connection);
        load->alive++;
    }
    for (int i = 0; i < load->options->connections; i++) {
        ask(load, &load->connections[i]);
    }
}

// The server has closed, as it was asked to.
static void open_again(load_t *load, connection_t *connection) {
    close(connection->fd);
    open_connection(load, connection);
    ask(load, connection);
}

static void take(load_t *load, connection_t *connection) {
    static char buffer[READ_SIZE];
    ssize_t size = read(connection->fd, buffer, sizeof buffer);
    if (size == 0 && load->options->close && connection->waiting == 0) {
        open_again(load, connection);
        return;
    }
    int count = size > 0 ? responses_feed(&connection->responses, buffer, (size_t)size) : -1;
    if (count < 0 || count > connection->waiting) {
        fail(load, connection);
        return;
    }
    load->answers += (uint64_t)count;
    connection->waiting -= count;
    if (connection->waiting == 0 && !load->options->close) {
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
    fprintf(stderr, "usage: load --port PORT [--path /hello] [--post TEXT] [--close] [--body TEXT] "
                    "[--body-file FILE] [--connections 64] [--depth 1] [--warmup 0.2] "
                    "[--seconds 1] [--cpu-of PID]...\n");
    exit(2);
}

static void add_pid(cpu_clock_set_t *set, const char *text) {
    if (set->count == CPU_CLOCK_MAX) {
        usage();
    }
    set->pids[set->count++] = atoi(text);
}

static void set_body(options_t *options, const char *text) {
    options->body = text;
    options->body_size = strlen(text);
}

static void read_body(options_t *options, const char *path) {
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        die(path);
    }
    options->body_size = (size_t)st.st_size;
    char *bytes = malloc(options->body_size + 1);
    if (bytes == NULL || read(fd, bytes, options->body_size) != st.st_size) {
        die(path);
    }
    options->body = bytes;
    close(fd);
}

static options_t parse(int argc, char **argv) {
    options_t options = {
        .path = "/hello",
        .connections = 64,
        .depth = 1,
        .warmup = 0.2,
        .seconds = 1,
    };
    set_body(&options, "Hello, World!");
    static const struct option LONG[] = {
        {"port", required_argument, NULL, 'p'},        {"path", required_argument, NULL, 'u'},
        {"post", required_argument, NULL, 'P'},        {"close", no_argument, NULL, 'C'},
        {"body", required_argument, NULL, 'b'},        {"body-file", required_argument, NULL, 'f'},
        {"connections", required_argument, NULL, 'c'}, {"depth", required_argument, NULL, 'd'},
        {"warmup", required_argument, NULL, 'w'},      {"seconds", required_argument, NULL, 's'},
        {"cpu-of", required_argument, NULL, 'o'},      {NULL, 0, NULL, 0},
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
            set_body(&options, optarg);
            break;
        case 'f':
            read_body(&options, optarg);
            break;
        case 'P':
            options.post = optarg;
            break;
        case 'C':
            options.close = true;
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
        options.depth < 1 || options.depth > 1024 || options.body_size == 0 ||
        (options.close && options.depth > 1)) {
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
