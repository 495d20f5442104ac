// The floor: the least a server can do for a request on epoll.
//
// It parses nothing but the blank line that ends a request, so that pipelined
// requests each get their answer, and its answer is constant. It costs one read,
// one write and a share of one epoll_wait: what is left is the kernel's work.
// Every other server of the suite is measured against it.
//
// --close closes behind each answer. --body-file answers with the bytes of that file, held in memory.

#define _GNU_SOURCE
#include "large.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    MAX_FD = 65536,
    EVENTS = 256,
    READ_SIZE = 65536,
    COPIES = 256, // answers that one write can carry
    SMALL = 64 * 1024,
};

// How much of "\r\n\r\n" the bytes read so far end with, for each descriptor.
static unsigned char matched[MAX_FD];

static char *answers;
static size_t answer_size;
static bool closes, is_large;

static void die(const char *what) {
    perror(what);
    exit(1);
}

// The same bytes as Gale's hello, so that both move as much through the kernel.
static size_t write_head(char *out, size_t room, const char *type, size_t length) {
    char date[64];
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &utc);
    int size = snprintf(out, room,
                        "HTTP/1.1 200 OK\r\nServer: gale\r\nDate: %s\r\n"
                        "Content-Type: %s\r\nContent-Length: %zu\r\n%s\r\n",
                        date, type, length, closes ? "Connection: close\r\n" : "");
    return (size_t)size;
}

static void build_answers(const char *head, size_t head_size, const char *body, size_t body_size) {
    answer_size = head_size + body_size;
    is_large = body_size > SMALL;
    size_t copies = is_large ? 1 : COPIES;
    answers = malloc(answer_size * copies);
    if (answers == NULL) {
        die("floor: malloc");
    }
    for (size_t i = 0; i < copies; i++) {
        memcpy(answers + i * answer_size, head, head_size);
        memcpy(answers + i * answer_size + head_size, body, body_size);
    }
    if (is_large) {
        large_set(answers, answer_size);
    }
}

static char *read_file(const char *path, size_t *size) {
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        die(path);
    }
    *size = (size_t)st.st_size;
    char *bytes = malloc(*size + 1);
    if (bytes == NULL || read(fd, bytes, *size) != st.st_size) {
        die(path);
    }
    close(fd);
    return bytes;
}

static void prepare(const char *path) {
    static char hello[] = "Hello, World!";
    size_t size = strlen(hello);
    char *body = path != NULL ? read_file(path, &size) : hello;
    const char *type = path != NULL ? "application/octet-stream" : "text/plain; charset=utf-8";
    char head[256];
    size_t head_size = write_head(head, sizeof head, type, size);
    build_answers(head, head_size, body, size);
    if (body != hello) {
        free(body);
    }
}

static unsigned char step(unsigned char state, char byte) {
    if (byte == "\r\n\r\n"[state]) {
        return (unsigned char)(state + 1);
    }
    return byte == '\r' ? 1 : 0;
}

// Counts the blank lines; *state carries one that is split over two reads.
static size_t count_ends(const char *at, size_t size, unsigned char *state) {
    const char *end = at + size;
    unsigned char s = *state;
    size_t count = 0;
    while (s != 0 && at < end) {
        s = step(s, *at++);
        if (s == 4) {
            count++;
            s = 0;
        }
    }
    const char *hit;
    while ((hit = memmem(at, (size_t)(end - at), "\r\n\r\n", 4)) != NULL) {
        count++;
        at = hit + 4;
    }
    // Only the last three bytes can begin a blank line that is not whole yet.
    if (end - at > 3) {
        at = end - 3;
    }
    while (at < end) {
        s = step(s, *at++);
    }
    *state = s;
    return count;
}

static bool answer(int fd, size_t count) {
    while (count > 0) {
        size_t now = count < COPIES ? count : COPIES;
        size_t size = now * answer_size;
        // The socket blocks, so that a write is whole unless the client has gone.
        if (write(fd, answers, size) != (ssize_t)size) {
            return false;
        }
        count -= now;
    }
    return true;
}

static void serve(int fd) {
    static char buffer[READ_SIZE];
    ssize_t size = read(fd, buffer, sizeof buffer);
    // Level-triggered epoll: what this read left over is reported again.
    size_t count = size > 0 ? count_ends(buffer, (size_t)size, &matched[fd]) : 0;
    if (size <= 0 || !answer(fd, count) || (closes && count > 0)) {
        close(fd);
    }
}

// One large file at a time: the loader asks for no more.
static void serve_large(int epoll, int fd, bool writable) {
    static char buffer[READ_SIZE];
    if (!writable) {
        ssize_t size = read(fd, buffer, sizeof buffer);
        if (size <= 0) {
            close(fd);
            return;
        }
        if (count_ends(buffer, (size_t)size, &matched[fd]) == 0) {
            return;
        }
        large_begin(fd);
    }
    int left = large_go_on(fd);
    if (left < 0) {
        close(fd);
    } else if (writable != (left > 0)) {
        struct epoll_event event = {.events = left > 0 ? EPOLLOUT : EPOLLIN, .data.fd = fd};
        epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
    }
}

static void accept_one(int epoll, int listener) {
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | (is_large ? SOCK_NONBLOCK : 0));
    if (fd < 0) {
        return;
    }
    if (fd >= MAX_FD) {
        close(fd);
        return;
    }
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    matched[fd] = 0;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        die("floor: epoll_ctl");
    }
}

static int listen_on(unsigned short port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        die("floor: socket");
    }
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 1024) != 0) {
        die("floor: listen");
    }
    return fd;
}

static _Noreturn void usage(void) {
    fprintf(stderr, "usage: floor --port PORT [--close] [--body-file FILE]\n");
    exit(2);
}

static unsigned short parse_port(const char *text) {
    char *end;
    long port = strtol(text, &end, 10);
    if (*end != '\0' || port < 1 || port > 65535) {
        usage();
    }
    return (unsigned short)port;
}

int main(int argc, char **argv) {
    unsigned short port = 0;
    const char *path = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--close") == 0) {
            closes = true;
        } else if (strcmp(argv[i], "--port") == 0 && i + 1 < argc) {
            port = parse_port(argv[++i]);
        } else if (strcmp(argv[i], "--body-file") == 0 && i + 1 < argc) {
            path = argv[++i];
        } else {
            usage();
        }
    }
    if (port == 0) {
        usage();
    }
    signal(SIGPIPE, SIG_IGN);
    prepare(path);
    int listener = listen_on(port);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) != 0) {
        die("floor: epoll");
    }
    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                accept_one(epoll, listener);
            } else if (is_large) {
                serve_large(epoll, fd, (events[i].events & EPOLLOUT) != 0);
            } else {
                serve(fd);
            }
        }
    }
}
