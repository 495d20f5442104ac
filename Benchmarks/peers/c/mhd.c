// The suite's server on libmicrohttpd: its epoll mode, one internal thread.

#define _GNU_SOURCE
#include "flags.h"

#include <fcntl.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BODY_MAX = 1024, CONNECTIONS_MAX = 19000 };

typedef struct {
    size_t size;
    char bytes[BODY_MAX];
} body_t;

static body_t none; // of a request that isn't a POST

static struct MHD_Response *hello;
static int root;

static enum MHD_Result respond_and_drop(struct MHD_Connection *connection,
                                        struct MHD_Response *response) {
    if (response == NULL) {
        return MHD_NO;
    }
    MHD_add_response_header(response, "Content-Type", "application/octet-stream");
    enum MHD_Result result = MHD_queue_response(connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result send_file(struct MHD_Connection *connection, const char *name) {
    struct stat st;
    int fd = openat(root, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return MHD_NO;
    }
    if (fstat(fd, &st) != 0) {
        close(fd);
        return MHD_NO;
    }
    return respond_and_drop(connection, MHD_create_response_from_fd64((uint64_t)st.st_size, fd));
}

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *bytes,
                              size_t *size, void **state) {
    (void)context;
    (void)version;
    // The first call only announces the head: answered there, MHD closes the connection.
    bool post = strcmp(method, "POST") == 0;
    if (*state == NULL) {
        *state = post ? calloc(1, sizeof(body_t)) : &none;
        return *state != NULL ? MHD_YES : MHD_NO;
    }
    if (post) {
        body_t *body = *state;
        if (*size > 0) {
            size_t room = sizeof body->bytes - body->size;
            size_t take = *size < room ? *size : room;
            memcpy(body->bytes + body->size, bytes, take);
            body->size += take;
            *size = 0;
            return MHD_YES;
        }
        return respond_and_drop(connection, MHD_create_response_from_buffer(body->size, body->bytes,
                                                                            MHD_RESPMEM_MUST_COPY));
    }
    if (strncmp(url, "/static/", 8) == 0) {
        return send_file(connection, url + 8);
    }
    return strcmp(url, "/hello") == 0 ? MHD_queue_response(connection, MHD_HTTP_OK, hello) : MHD_NO;
}

static void completed(void *context, struct MHD_Connection *connection, void **state,
                      enum MHD_RequestTerminationCode code) {
    (void)context;
    (void)connection;
    (void)code;
    if (*state != &none) {
        free(*state);
    }
}

int main(int argc, char **argv) {
    flags_t flags = flags_parse(argc, argv);
    root = open(flags.root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    // Blocked before the thread starts, so that it inherits the mask and main waits.
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    sigprocmask(SIG_BLOCK, &stop, NULL);

    static char text[] = "Hello, World!";
    hello = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(hello, "Content-Type", "text/plain");
    // MHD_USE_TURBO is the library's own advice for speed: peers run at their best.
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO, flags.port, NULL, NULL, answer, NULL,
        MHD_OPTION_LISTEN_SOCKET, flags_listen(&flags), MHD_OPTION_NOTIFY_COMPLETED, completed,
        NULL, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_END);
    if (daemon == NULL) {
        fprintf(stderr, "mhd: cannot serve on port %u\n", flags.port);
        return 1;
    }
    int signal_number;
    sigwait(&stop, &signal_number);
    MHD_stop_daemon(daemon);
    MHD_destroy_response(hello);
    close(root);
    return 0;
}
