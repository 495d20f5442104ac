// The suite's server on libevent's evhttp.

#define _GNU_SOURCE
#include "flags.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int root;

static void set_type(struct evhttp_request *request, const char *type) {
    evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", type);
}

static void hello(struct evhttp_request *request, void *context) {
    (void)context;
    set_type(request, "text/plain");
    evbuffer_add_reference(evhttp_request_get_output_buffer(request), "Hello, World!", 13, NULL,
                           NULL);
    evhttp_send_reply(request, 200, "OK", NULL);
}

static void body(struct evhttp_request *request, void *context) {
    (void)context;
    set_type(request, "application/octet-stream");
    evhttp_send_reply(request, 200, "OK", evhttp_request_get_input_buffer(request));
}

static void file(struct evhttp_request *request, void *context) {
    (void)context;
    const char *uri = evhttp_request_get_uri(request);
    struct stat st;
    int fd = strncmp(uri, "/static/", 8) == 0 ? openat(root, uri + 8, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) {
        evhttp_send_error(request, 404, NULL);
        return;
    }
    // It takes the descriptor, and sends the file by sendfile or mmap as it thinks best.
    if (fstat(fd, &st) != 0 || evbuffer_add_file(evhttp_request_get_output_buffer(request), fd, 0,
                                                 (ev_off_t)st.st_size) != 0) {
        close(fd);
        evhttp_send_error(request, 500, NULL);
        return;
    }
    set_type(request, "application/octet-stream");
    evhttp_send_reply(request, 200, "OK", NULL);
}

static void stop(evutil_socket_t number, short what, void *base) {
    (void)number;
    (void)what;
    event_base_loopbreak(base);
}

int main(int argc, char **argv) {
    flags_t flags = flags_parse(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    root = open(flags.root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct event_base *base = event_base_new();
    struct evhttp *http = base != NULL ? evhttp_new(base) : NULL;
    if (http == NULL || evhttp_accept_socket(http, flags_listen(&flags)) != 0) {
        fprintf(stderr, "evhttp: cannot serve on port %u\n", flags.port);
        return 1;
    }
    evhttp_set_cb(http, "/hello", hello, NULL);
    evhttp_set_cb(http, "/body", body, NULL);
    evhttp_set_gencb(http, file, NULL);
    struct event *term = evsignal_new(base, SIGTERM, stop, base);
    event_add(term, NULL);
    event_base_dispatch(base);
    event_free(term);
    evhttp_free(http);
    event_base_free(base);
    close(root);
    return 0;
}
