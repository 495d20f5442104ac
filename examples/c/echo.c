/*
 * A server for black-box tests: the same on the wire as examples/echo, which is in Swift.
 *
 *     /hello       "Hello, World!"
 *     /ws          a WebSocket that echoes messages of up to 16 MiB, compressed when the client
 *                  offers that, unless --deflate 0 (2: with windows that are kept)
 *     /broadcast   a WebSocket on which each message goes to all sockets
 *     /body        the body of a POST, as it came
 *     /static/     the folder given by --root
 *     /client      whom the server takes the client for
 *     all else     any method, any target: the request as JSON
 */
#include <errno.h>
#include <gale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "echo/broadcast.h"
#include "echo/client.h"
#include "echo/json.h"

static gale_server_t *server;
static gale_files_t *files; /* null without --root */

static bool equals(gale_str_t s, const char *text) {
    return s.len == strlen(text) && memcmp(s.ptr, text, s.len) == 0;
}

static bool starts_with(gale_str_t s, const char *prefix) {
    return s.len >= strlen(prefix) && memcmp(s.ptr, prefix, strlen(prefix)) == 0;
}

/* ------------------------------------------------------------------------------------------ /ws */

/* A client that sends but doesn't read is paused until its send queue is short again. */
static void ws_message(gale_ws_t *ws, int kind, gale_str_t bytes, void *data) {
    if (gale_ws_send(ws, kind, bytes) == 1) gale_ws_pause(ws);
}

static void ws_drain(gale_ws_t *ws, void *data) { gale_ws_resume(ws); }

static void ws_accept(gale_req_t *req) {
    gale_ws_handler_t handler = gale_ws_handler();
    handler.on_message = ws_message;
    handler.on_drain = ws_drain;
    gale_ws_t *ws;
    gale_ws_accept(req, &handler, NULL, NULL, 0, &ws); /* answers by itself what is no handshake */
}

/* --------------------------------------------------------------------------------------- routes */

static void serve_static(gale_req_t *req, gale_str_t path) {
    int status = gale_files_serve(files, req, path, NULL, 0);
    if (status == GALE_OK) return;
    if (status < 0) status = 500;
    const char *reason = status == 400   ? "Bad Request"
                         : status == 414 ? "URI Too Long"
                         : status == 403 ? "Forbidden"
                         : status == 404 ? "Not Found"
                         : status == 405 ? "Method Not Allowed"
                         : status == 503 ? "Service Unavailable"
                                         : "Internal Server Error";
    char page[128];
    snprintf(page, sizeof page, "<html><title>%d: %s</title><body>%d: %s</body></html>", status,
             reason, status, reason);
    gale_header_t headers[] = {
        {gale_cstr("Content-Type"), gale_cstr("text/html; charset=UTF-8")},
        {gale_cstr("Allow"), gale_cstr("GET, HEAD")},
    };
    gale_respond(req, status, headers, status == 405 ? 2 : 1, gale_cstr(page));
}

static void on_request(gale_req_t *req, void *data) {
    gale_str_t path = gale_req_path(req), method = gale_req_method(req);
    if (equals(path, "/hello") && (equals(method, "GET") || equals(method, "HEAD"))) {
        gale_respond_text(req, 200, "Hello, World!");
    } else if (equals(path, "/ws") && equals(method, "GET")) {
        ws_accept(req);
    } else if (equals(path, "/client")) {
        echo_client(req);
    } else if (equals(path, "/broadcast") && equals(method, "GET")) {
        broadcast_join(req, server);
    } else if (equals(path, "/body") && equals(method, "POST")) {
        gale_header_t type = {gale_cstr("Content-Type"), gale_cstr("application/octet-stream")};
        gale_respond(req, 200, &type, 1, gale_req_body(req));
    } else if (files != NULL && starts_with(path, "/static/")) {
        serve_static(req, gale_str(path.ptr + strlen("/static/"), path.len - strlen("/static/")));
    } else if (gale_req_wants_websocket(req) &&
               gale_req_header(req, gale_cstr("Sec-WebSocket-Key")).ptr != NULL) {
        gale_respond_text(req, 404, "no WebSocket here\n"); /* RFC 6455 4.2.2 */
    } else {
        gale_header_t type = {gale_cstr("Content-Type"), gale_cstr("application/json")};
        gale_buf_t json = echo_json(req);
        if (json.ptr == NULL) {
            gale_respond_text(req, 503, "out of memory\n");
        } else {
            gale_respond_buf(req, 200, &type, 1, json);
        }
    }
}

/* --------------------------------------------------------------------------------- command line */

typedef struct {
    const char *host, *port, *root, *unix_path;
    const char *listen, *trust, *forwarded;
    uint32_t workers, family;
    uint32_t codings; /* for bodies, in both directions */
    uint32_t deflate; /* of messages */
} options_t;

static const char usage[] =
    "usage: echo [--port PORT] [--host HOST] [--workers N] [--root FOLDER] [--unix PATH]\n"
    "            [--listen URL] [--trust NETWORKS] [--forwarded x|rfc7239|x-real-ip] "
    "[--compress]\n"
    "            [--deflate 0|1|2]\n";

static unsigned long number(const char *flag, const char *text, unsigned long min,
                            unsigned long max) {
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || *text == '-' || value < min || value > max) {
        fprintf(stderr, "echo: %s wants a number from %lu to %lu, not '%s'\n", flag, min, max,
                text);
        exit(2);
    }
    return value;
}

static uint32_t family(const char *name) {
    static const char *const names[] = {"x", "rfc7239", "x-real-ip"};
    for (uint32_t i = 0; i < 3; i++) {
        if (strcmp(name, names[i]) == 0) return i; /* GALE_FORWARDED_* */
    }
    bad_usage("echo", "unknown family", name);
}

static options_t parse(int argc, char **argv) {
    options_t o = {.host = "127.0.0.1", .deflate = 1};
    for (int i = 1; i < argc; i++) {
        const char *flag = argv[i];
        take_help(flag, usage);
        if (strcmp(flag, "--compress") == 0) {
            o.codings = GALE_CODING_ALL;
            continue;
        }
        const char **text = strcmp(flag, "--port") == 0        ? &o.port
                            : strcmp(flag, "--host") == 0      ? &o.host
                            : strcmp(flag, "--root") == 0      ? &o.root
                            : strcmp(flag, "--unix") == 0      ? &o.unix_path
                            : strcmp(flag, "--listen") == 0    ? &o.listen
                            : strcmp(flag, "--trust") == 0     ? &o.trust
                            : strcmp(flag, "--forwarded") == 0 ? &o.forwarded
                                                               : NULL;
        bool is_deflate = strcmp(flag, "--deflate") == 0;
        if (text == NULL && !is_deflate && strcmp(flag, "--workers") != 0) {
            bad_usage("echo", "unknown argument", flag);
        }
        if (++i == argc) bad_usage("echo", "no value for", flag);
        if (text != NULL) {
            *text = argv[i];
        } else if (is_deflate) {
            o.deflate = (uint32_t)number(flag, argv[i], 0, 2);
        } else {
            o.workers = (uint32_t)number(flag, argv[i], 1, 1024);
        }
    }
    if (o.port != NULL) number("--port", o.port, 0, 65535);
    /* --unix or --listen alone: no other address. */
    if (o.port == NULL && o.unix_path == NULL && o.listen == NULL) o.port = "8080";
    if (o.forwarded != NULL) o.family = family(o.forwarded);
    return o;
}

static void on_signal(int number) { gale_server_stop(server); } /* a second one cuts at once */

static void on_signals(void (*handler)(int)) {
    signal(SIGINT, handler);
    signal(SIGTERM, handler);
}

static _Noreturn void fail(const char *what) {
    fprintf(stderr, "echo: %s\n", what);
    gale_server_free(server);
    gale_files_free(files);
    exit(1);
}

/* On each address that was asked for; says where. */
static void listen_on(const options_t *o) {
    const char *open = strchr(o->host, ':') != NULL ? "[" : "";
    const char *close = *open == '[' ? "]" : "";
    char url[512];
    const char *and = "listening on ";
    if (o->port != NULL) {
        snprintf(url, sizeof url, "http://%s%s%s:%s", open, o->host, close, o->port);
        if (gale_server_listen(server, url) < 0) fail(gale_server_errmsg(server));
        printf("%shttp://%s%s%s:%d", and, open, o->host, close, gale_server_port(server, 0));
        and = " and ";
    }
    if (o->unix_path != NULL) {
        snprintf(url, sizeof url, "unix:%s", o->unix_path);
        if (gale_server_listen(server, url) < 0) fail(gale_server_errmsg(server));
        printf("%s%s", and, url);
        and = " and ";
    }
    if (o->listen != NULL) {
        if (gale_server_listen(server, o->listen) < 0) fail(gale_server_errmsg(server));
        printf("%s%s", and, o->listen);
    }
    printf("\n");
}

int main(int argc, char **argv) {
    options_t options = parse(argc, argv);
    gale_config_t config = gale_config();
    config.workers = options.workers;
    config.trusted_proxies = options.trust;
    config.forwarded_family = options.family;
    config.ws_max_message_bytes = 16 << 20;
    config.ws_deflate = options.deflate;
    config.compress = config.decompress = options.codings;
    int status = gale_server_new(&server, &config);
    if (status < 0 && options.trust != NULL) { /* all else of it has been looked at already */
        char what[512];
        snprintf(what, sizeof what, "--trust %s: %s", options.trust, gale_strerror(status));
        fail(what);
    }
    if (status < 0) fail(gale_strerror(status));

    if (options.root != NULL && (status = gale_files_open(&files, options.root)) < 0) {
        char what[512];
        snprintf(what, sizeof what, "--root %s: %s", options.root, gale_strerror(status));
        fail(what);
    }
    gale_handler_t handler = gale_handler();
    handler.on_request = on_request;
    gale_server_handle(server, &handler, NULL);

    listen_on(&options);
    on_signals(on_signal);
    gale_notify("READY=1");
    fflush(stdout);

    status = gale_server_run(server);
    on_signals(SIG_IGN); /* there is nothing left to stop */
    if (status < 0) fail(gale_server_errmsg(server));
    gale_server_free(server);
    gale_files_free(files);
    return 0;
}
