/*
 * gale.h - the whole public C interface of Gale, an embeddable HTTP/1.1 and WebSocket server core.
 *
 * Shape of a program:
 *
 *     static void hello(gale_req_t *r, void *data) { gale_respond_text(r, 200, "Hello, World!"); }
 *
 *     gale_handler_t h = gale_handler();          // every callback null, struct_size filled
 *     h.on_request = hello;
 *     gale_server_t *s;
 *     gale_server_new(&s, NULL);                  // NULL: default limits
 *     gale_server_handle(s, &h, NULL);
 *     gale_server_listen(s, "http://127.0.0.1:8080");
 *     gale_server_run(s);                         // blocks until gale_server_stop(s)
 *     gale_server_free(s);
 *
 * Conventions
 *   Result      int: 0 or positive is success, negative is an error: a libuv code (UV_EADDRINUSE
 *               ...) or GALE_E*.
 *   gale_str_t  borrowed bytes. Not NUL-terminated. How long they live stands at the function
 *               that gives them. A null ptr with a len, or a null array with a count, is UV_EINVAL
 *               to every function that takes one (bytes it owns are freed), and names nothing to
 *               those that give no error.
 *   gale_buf_t  owned bytes: whoever takes one calls free_fn(free_arg) exactly once, also when the
 *               call fails. A null free_fn means that the bytes outlive the server (string
 *               literals, static tables).
 *   Structs     that begin with struct_size (gale_config_t, gale_handler_t ...) only ever grow at
 *               the end. They are copied by the call that takes them. Fill them with gale_config(),
 *               gale_handler() ...; those without such a function by hand. A library older than the
 *               caller accepts a longer struct if the part it doesn't know is all zero, and answers
 *               GALE_EVERSION if not, as to one of more than 4096 bytes.
 *   Callbacks   run on the loop thread of the worker that owns the connection. They may call
 *               anything marked "loop". They must not block: every other client of that worker
 *               waits meanwhile.
 *
 * Threads (the first row that names a call counts)
 *   call                                        in a callback  other thread         signal handler
 *   gale_set_allocator                          no             before any server    no
 *   gale_*_init                                 yes            yes                  yes
 *   gale_server_new, _handle, _listen*          no             one, before run      no
 *   gale_server_run, _start, _attach            no             once                 no
 *   gale_server_stop                            yes            yes                  yes
 *   gale_server_join                            no             yes                  no
 *   gale_server_free                            yes            yes                  no
 *   gale_server_errmsg                          no             whose call failed    no
 *   gale_server_port, _workers, _worker         yes            yes                  no
 *   gale_worker_current, _index, _loop          yes            yes                  no
 *   gale_worker_post                            yes            yes                  no
 *   gale_worker_*, gale_timer_*, gale_peer_*    yes            no: GALE_ETHREAD     no
 *   gale_respond*, gale_resp_*, gale_req_*      yes            no: GALE_ETHREAD     no
 *   gale_ws_*, gale_tunnel_*, gale_files_serve  yes            no: GALE_ETHREAD     no
 *   gale_sse_format                             yes            yes                  yes
 *   gale_sse_*                                  yes            no: GALE_ETHREAD     no
 *   gale_ref_req, _ws, _tunnel                  yes            no: null             no
 *   gale_form_read, gale_part_save, _take_fd    yes            no: GALE_ETHREAD     no
 *   gale_form_*, gale_part_*                    yes            no                   no
 *   gale_ref_*, gale_publish                    yes            yes                  no
 *   gale_buf_*, gale_files_*                    yes            yes                  no
 *   gale_limiter_*, gale_stats                  yes            yes                  no
 *   gale_query_*, gale_header_*                 yes            yes                  yes
 *   gale_cookie_next, gale_safe_filename        yes            yes                  yes
 *   gale_notify                                 yes            yes                  no
 *   gale_version, gale_strerror, gale_err_name  yes            yes                  yes
 *   gale_codings                                yes            yes                  yes
 * Functions of a request, socket or worker that only read (gale_req_path, gale_ws_queued ...) are
 * for its loop thread too, and look at no thread.
 */
#ifndef GALE_H
#define GALE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32) && defined(GALE_BUILD_SHARED)
#define GALE_API __declspec(dllexport)
#elif defined(_WIN32) && defined(GALE_USE_SHARED)
#define GALE_API __declspec(dllimport)
#elif defined(__GNUC__)
#define GALE_API __attribute__((visibility("default")))
#else
#define GALE_API
#endif

#if defined(__clang__)
#define GALE_NONNULL_BEGIN                                                                         \
    _Pragma("clang diagnostic push")                                                               \
        _Pragma("clang diagnostic ignored \"-Wnullability-extension\"")                            \
            _Pragma("clang assume_nonnull begin")
#define GALE_NONNULL_END _Pragma("clang assume_nonnull end") _Pragma("clang diagnostic pop")
#define GALE_NULLABLE _Nullable
#define GALE_NONNULL _Nonnull
#else
#define GALE_NONNULL_BEGIN
#define GALE_NONNULL_END
#define GALE_NULLABLE
#define GALE_NONNULL
#endif

#ifdef __cplusplus
extern "C" {
#endif
GALE_NONNULL_BEGIN

/* ------------------------------------------------------------------------------ version, errors */

#define GALE_VERSION_MAJOR 0
#define GALE_VERSION_MINOR 1
#define GALE_VERSION_PATCH 0

/* Version of the library that is loaded: major << 16 | minor << 8 | patch. Any thread.
 * Since 0.1. */
GALE_API unsigned gale_version(void);

/* Gale's own error codes. Every other negative result is a libuv code and passes
 * through unchanged. */
#define GALE_ERRNO_MAP(XX)                                                                         \
    XX(GALE_EGONE, -5001, "the client has left, or the reference is stale")                        \
    XX(GALE_ESTATE, -5002, "not possible in this state (wrong order of calls)")                    \
    XX(GALE_ELIMIT, -5003, "a configured limit was reached")                                       \
    XX(GALE_ETHREAD, -5004, "called on a thread that does not own the object")                     \
    XX(GALE_EVERSION, -5005, "struct_size is not one this library understands")                    \
    XX(GALE_EHEADER, -5006, "invalid status, header name or header value")                         \
    XX(GALE_EHANDSHAKE, -5007, "not a valid WebSocket handshake or upgrade")                       \
    XX(GALE_EPROTO, -5008, "the peer broke the protocol")                                          \
    XX(GALE_ETIMEDOUT, -5009, "the peer was too slow")                                             \
    XX(GALE_ESHUTDOWN, -5010, "the server is stopping")                                            \
    XX(GALE_EABORTED, -5011, "aborted by the handler")                                             \
    XX(GALE_EUPGRADED, -5012, "the connection now speaks another protocol")                        \
    XX(GALE_EURL, -5013, "not a listen address: want http://HOST:PORT or unix:PATH")               \
    XX(GALE_ELENGTH, -5014, "more or fewer body bytes than the Content-Length announced")          \
    XX(GALE_EWSURL, -5015, "not a WebSocket URL: want ws://HOST:PORT/PATH or ws+unix:FILE:/PATH")  \
    XX(GALE_ENOTLS, -5016, "wss:// needs TLS, which is not there yet")

/* The same as constants, and that there was no error. */
enum {
    GALE_OK = 0,
#define XX(name, value, text) name = value,
    GALE_ERRNO_MAP(XX)
#undef XX
};

/* Text of an error code ("the client has left ..."), static and never null. Any thread.
 * Since 0.1. */
GALE_API const char *gale_strerror(int err);
/* Name of an error code ("GALE_EGONE", "EADDRINUSE"), static and never null. Any thread.
 * Since 0.1. */
GALE_API const char *gale_err_name(int err);

/* ----------------------------------------------------------------------------------- base types */

typedef struct gale_server_s gale_server_t; /* listeners, workers and limits */
typedef struct gale_worker_s gale_worker_t; /* one loop on one thread */
typedef struct gale_req_s gale_req_t;       /* one request; loop only; until on_done returns */
typedef struct gale_ws_s gale_ws_t; /* one WebSocket; loop only; until its on_close returns */
/* One raw byte stream; loop only; until its on_close returns. */
typedef struct gale_tunnel_s gale_tunnel_t;
typedef struct gale_form_s gale_form_t;   /* a request's form; loop only; until on_done returns */
typedef struct gale_part_s gale_part_t;   /* a field or file of it; loop only; see gale_form_read */
typedef struct gale_timer_s gale_timer_t; /* one timer of a worker; loop only */
typedef struct gale_peer_s gale_peer_t;   /* an in-memory client, for tests; loop only */

/* Handle to a request, WebSocket or tunnel that may be kept for ever, copied, and used on any
 * thread: when what it named is gone, every call answers GALE_EGONE. {0} never names anything. */
typedef struct {
    uint64_t bits;
} gale_ref_t;

/* Borrowed bytes. */
typedef struct {
    const char *GALE_NULLABLE ptr;
    size_t len;
} gale_str_t;

/* Owned bytes: free_fn(free_arg) is called exactly once by whoever took them, on the loop thread of
 * the connection they were sent to (or the caller's, when the call fails). */
typedef struct {
    const void *GALE_NULLABLE ptr;
    size_t len;
    void (*GALE_NULLABLE free_fn)(void *GALE_NULLABLE arg);
    void *GALE_NULLABLE free_arg;
} gale_buf_t;

/* A header field. Names compare without case. Values carry no CR, LF or NUL. */
typedef struct {
    gale_str_t name, value;
} gale_header_t;

static inline gale_str_t gale_str(const char *GALE_NULLABLE ptr, size_t len) {
    gale_str_t s = {ptr, len};
    return s;
}
/* Borrowed view of a NUL-terminated string. */
static inline gale_str_t gale_cstr(const char *text) {
    gale_str_t s = {text, 0};
    while (text[s.len] != '\0') s.len++;
    return s;
}
/* A copy of the bytes on Gale's heap, as an owned buffer; ptr is null when memory ran out and len
 * was not 0. Any thread. Since 0.1. */
GALE_API gale_buf_t gale_buf_copy(const void *GALE_NULLABLE ptr, size_t len);
/* Frees an owned buffer that no call took. Any thread. Since 0.1. */
GALE_API void gale_buf_free(gale_buf_t buf);

/* ------------------------------------------------------------------------------------ allocator */

/* The four functions all of Gale's memory comes from. They must be thread-safe. libuv's own few
 * allocations are routed by uv_replace_allocator, which is the caller's to call. */
typedef struct {
    void *GALE_NULLABLE (*GALE_NONNULL malloc_fn)(size_t size);
    void *GALE_NULLABLE (*GALE_NONNULL realloc_fn)(void *GALE_NULLABLE ptr, size_t size);
    void *GALE_NULLABLE (*GALE_NONNULL calloc_fn)(size_t count, size_t size);
    void (*free_fn)(void *GALE_NULLABLE ptr);
} gale_allocator_t;

/* Replaces the allocator for the whole process. Copied. Only while no server exists: else
 * GALE_ESTATE. Null restores the C library's. Since 0.1. */
GALE_API int gale_set_allocator(const gale_allocator_t *GALE_NULLABLE allocator);

/* --------------------------------------------------------------------- configuration, callbacks */

/* Which fields a trusted proxy speaks in. Only those of one family are ever believed, because a
 * proxy that writes one lets the client's own of the others through. */
enum {
    GALE_FORWARDED_X = 0,        /* X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host */
    GALE_FORWARDED_RFC7239 = 1,  /* Forwarded: for=, proto=, host= */
    GALE_FORWARDED_X_REAL_IP = 2 /* X-Real-Ip, X-Scheme */
};

/* Content codings (RFC 9110 8.4.1), as bits of a set. */
enum {
    GALE_CODING_GZIP = 1,    /* RFC 1952; "x-gzip" from clients, too */
    GALE_CODING_DEFLATE = 2, /* RFC 1950, the zlib format */
    GALE_CODING_BR = 4,      /* RFC 7932 */
    GALE_CODING_ZSTD = 8,    /* RFC 8878 */
    GALE_CODING_ALL = 15
};
/* The codings this library was built with. Any thread. Since 0.1. */
GALE_API uint32_t gale_codings(void);

/* Limits and timeouts. 0 in a field means its default. */
typedef struct {
    size_t struct_size; /* sizeof(gale_config_t), set by gale_config() */
    uint32_t workers;   /* loops of run and start; default one a CPU; attach always uses one */
    uint32_t backlog;   /* of listen(2); default 1024 */
    uint32_t max_header_bytes;  /* request line and fields; default 16384; over it: 431 or 414 */
    uint32_t max_headers;       /* fields; default 100; over it: 431 */
    uint64_t max_body_bytes;    /* default 1 MiB; over it: 413. gale_req_set_max_body changes it for
                                   one request */
    uint32_t header_timeout_ms; /* connect or first byte to end of head; default 10000: 408 */
    uint32_t body_timeout_ms;   /* without a byte of the body, or of a WebSocket message that
                                   has begun; default 30000; over it: 408 */
    uint32_t idle_timeout_ms;   /* between requests; default 60000; then closed in silence */
    uint32_t write_timeout_ms;  /* client takes no byte; default 30000; then cut */
    uint32_t shutdown_grace_ms; /* stop waits this long for open requests; default 10000 */
    uint32_t write_high_water;  /* bytes queued above which writes return 1; default 64 KiB */
    uint32_t write_low_water;   /* on_drain comes below it; default 16 KiB */
    uint64_t write_limit; /* bytes queued at which a connection is cut with GALE_ELIMIT; default 64
                             MiB */
    uint64_t ws_max_message_bytes; /* default 10 MiB; over it the socket closes with 1009 */
    uint32_t ws_close_timeout_ms;  /* how long a close waits for the peer's answer; default 5000 */
    uint32_t allow_half_close;     /* 1: a client that shut down its sending side still gets a late
                                      answer, or the rest of a stream; then one that left is noticed
                                      only when something is written to it. Default 0: it gets what
                                      is queued */
    uint32_t no_server_header;     /* 1: send no "Server: gale" */

    /* The proxies whose word is taken for the client's address, scheme and host: networks and
     * addresses parted by commas or blanks, "unix" for unix sockets, as "127.0.0.0/8, ::1, unix".
     * Null or empty, the default: nobody's. Read by gale_server_new: UV_EINVAL when it is no such
     * list, or has more than 256 entries. Name only machines that set or remove the fields of the
     * family below in all they pass on. */
    const char *GALE_NULLABLE trusted_proxies;
    uint32_t forwarded_family; /* GALE_FORWARDED_*; default GALE_FORWARDED_X */
    uint32_t forwarded_host;   /* 1: believe X-Forwarded-Host. Default 0, since common proxies set
                                  the other two and pass a client's own of this one through */

    /* Open connections, over all workers; default the descriptors the process may have at run, less
     * a sixteenth (at least 32) for the program's own. Beyond it the client that has been idle
     * longest gives way; when none is idle the new one gets 503 and is closed. */
    uint32_t max_connections;
    /* Those of one IPv4 address or IPv6 /64; default no limit. Beyond it: closed at once. Those of
     * trusted_proxies are not counted; behind a PROXY header its address counts. */
    uint32_t max_connections_per_address;

    uint32_t tunnel_idle_timeout_ms; /* no byte either way through a tunnel; then cut with
                                        GALE_ETIMEDOUT. Default none: it is the protocol's
                                        affair how long its silences are */

    /* Codings for the bodies of responses, GALE_CODING_*; default 0: none. See
     * gale_req_set_compression. Those that are not built in are left out (gale_codings). */
    uint32_t compress;
    uint32_t compress_level;     /* 1, fast, to 9, small; default 6. On each coding's own scale */
    uint32_t compress_min_bytes; /* bodies that are shorter stay as they are; default 1024 */
    /* Codings of request bodies that are undone before the handler sees them; default 0: bodies are
     * handed over as they come. A body in any other coding, or in more than one, is refused with
     * 415 and an Accept-Encoding that names these; one that is broken or cut short, or has
     * something behind its end, with 400 (gzip may have several members). max_body_bytes holds for
     * what comes out as well as for what came in. The Content-Encoding field then has the name
     * X-Consumed-Content-Encoding, which a client cannot send; Content-Length stays, and is that of
     * the coded bytes. (RFC 9110 8.4, 15.5.16; H1-20) */
    uint32_t decompress;
    uint32_t decompress_ratio; /* of what comes out of a body to what came in, looked at beyond 64
                                  KiB; default 100; over it: 413 */
    uint32_t coding_memory;    /* bytes for the state of both, a worker; default 64 MiB. Beyond it
                                  responses go out uncoded, and coded requests get 503. A response
                                  that is being sent holds 270 KB with gzip or deflate, about 2 MB
                                  with the others; a request up to its window: 40 KB, br to 16 MiB,
                                  zstd to 8 MiB */

    /* Leniencies for clients that cannot be mended; 1: on. Default off, since each lets a proxy in
     * front and this server read different requests out of the same bytes, which is how requests
     * are smuggled past the proxy's rules: only for servers that such clients reach directly. There
     * is none for what can only be an attack: blanks before the colon of a field (RFC 9112 5.1),
     * Content-Length with Transfer-Encoding or with another value, a bare LF or fold in chunked
     * framing and trailers, a fold in a field that frames or routes, CR alone, other controls. */

    /* LF alone ends lines of the head (RFC 9112 2.2). One in front that takes it for a part of a
     * value passes on fields that it has not seen. */
    uint32_t allow_bare_lf;
    /* A line that begins with a blank goes on with the value before it, the line end as blanks (RFC
     * 9112 5.2). One in front may see two fields, or the end of the head, where there is one
     * value. */
    uint32_t allow_obs_fold;
    /* HTTP/1.1 without Host (RFC 9112 3.2). Caches and virtual hosts that guess it are poisoned by
     * whoever makes two of them guess differently. */
    uint32_t allow_missing_host;
    /* Equal values of Content-Length are one (RFC 9110 8.6), and the handler sees one. Whoever
     * repeats it probes for somebody in front or behind who picks another. */
    uint32_t allow_repeated_length;

    uint32_t shutdown_idle_ms; /* stop leaves connections without a request open so long, within
                                  shutdown_grace_ms, so that a request under way to them is
                                  answered. Default 0: those to which no byte has come are
                                  closed at once */

    /* Bytes of the temporary files of forms (gale_form_read), of all clients together; default 10
     * GiB. Who comes beyond it gets 503. */
    uint64_t max_spool_bytes;

    /* Requests of one connection; behind the answer to the last it closes. Default no limit. */
    uint32_t max_requests_per_connection;
    /* Age at which a connection takes no more requests: it closes when it is idle, or behind the
     * answer under way. WebSockets live on. Default no limit. */
    uint32_t max_connection_age_ms;
    /* Bytes a second that a client must send of a head or body, and take of what is queued for it;
     * default 240 each, UINT32_MAX: no such limit. It may fall behind by rate_grace_ms (default
     * 30000): then a request is answered with 408, a response cut. Between requests, while the
     * handler thinks or has paused, and for a stream with nothing queued, no rate counts. */
    uint32_t min_receive_rate;
    uint32_t min_send_rate;
    uint32_t rate_grace_ms;

    /* Compression of WebSocket messages (permessage-deflate, RFC 7692; WS-14) for clients that
     * offer it: 0, the default: none. 1: each message by itself, so that a socket costs no memory
     * for it. 2: within the window of the messages before, which makes many small ones far
     * smaller, for memory of each such socket; where ws_deflate_memory is used up, as 1. Without
     * zlib in this library (gale_codings) it is 0. */
    uint32_t ws_deflate;
    uint32_t ws_deflate_level;     /* 1, fast, to 9, small; default 6 */
    uint32_t ws_deflate_min_bytes; /* messages that are shorter go as they are; default 64 */
    /* Base-2 logarithm of the window, 9 to 15; default 15, with ws_deflate 2: 12. A socket of 2
     * takes about 12 << bits bytes from its first messages on, with 12: 50 KB. */
    uint32_t ws_deflate_window_bits;
    uint64_t ws_deflate_memory; /* bytes for kept windows, a worker; default 64 MiB */

    /* Keep-alive of WebSockets (WS-16): a ping goes out every so often; default 0: none. A client
     * of which no byte comes within ws_ping_timeout_ms of it (default, and at most, the interval)
     * is closed with 1000, "ping timed out". One that is paused is not judged. */
    uint32_t ws_ping_interval_ms;
    uint32_t ws_ping_timeout_ms;
    /* A WebSocket without a message, either way, is closed with 1001, "idle for too long"; pings
     * and pongs are none. Default 0: never. */
    uint32_t ws_idle_timeout_ms;

    /* What becomes of a WebSocket that takes the messages of a topic too slowly (gale_publish), and
     * the bytes of one topic that may wait for it before that; gale_ws_subscribe_with has its own
     * for one subscription. */
    uint32_t ws_slow_policy; /* GALE_SLOW_*; default GALE_SLOW_CLOSE */
    uint32_t ws_max_topics;  /* that one WebSocket may subscribe to; default 1024 */
    uint64_t ws_slow_limit;  /* default 1 MiB; each message counts 40 more than its frame has */
} gale_config_t;

/* The callbacks of a server. All run on the loop thread; `data` is what gale_server_handle was
 * given. */
typedef struct {
    size_t struct_size; /* sizeof(gale_handler_t), set by gale_handler() */

    /* A request is there: with on_body null, head and whole body; else as soon as the head is
     * complete. Answer now or later; not answering before it returns needs no call at all.
     * Required. */
    void (*GALE_NULLABLE on_request)(gale_req_t *req, void *GALE_NULLABLE data);

    /* A piece of the body. `chunk` lives until it returns. `last` is true exactly once, with the
     * end of the body, and chunk may then be empty. Not called for a request without body
     * (gale_req_has_body), nor once the response is complete. After gale_req_collect it is called
     * once, with the whole body, which then lives until on_done returns. Null: bodies are collected
     * before on_request. */
    void (*GALE_NULLABLE on_body)(gale_req_t *req, gale_str_t chunk, bool last,
                                  void *GALE_NULLABLE data);

    /* The send queue fell below write_low_water after a gale_resp_write had returned 1. */
    void (*GALE_NULLABLE on_drain)(gale_req_t *req, void *GALE_NULLABLE data);

    /* The request is over: called exactly once for each on_request, last of all its callbacks.
     * `status` is GALE_OK when the whole response was handed to the system but for at most
     * write_high_water bytes that are still queued, GALE_EUPGRADED when it became a WebSocket or
     * a tunnel, else why not: GALE_EGONE, GALE_ETIMEDOUT, GALE_ESHUTDOWN, GALE_EPROTO,
     * GALE_ELIMIT, GALE_ELENGTH, GALE_EABORTED, or the system's own error. The one place to free
     * what gale_req_set_data set. `req` and all its slices end when it returns. It comes after
     * the callback in which the response was ended has returned, never within gale_respond. */
    void (*GALE_NULLABLE on_done)(gale_req_t *req, int status, void *GALE_NULLABLE data);

    /* A worker's loop is about to run / has ended; on its thread. For per-worker state
     * (gale_worker_set_data). */
    void (*GALE_NULLABLE on_worker_start)(gale_worker_t *worker, void *GALE_NULLABLE data);
    void (*GALE_NULLABLE on_worker_stop)(gale_worker_t *worker, void *GALE_NULLABLE data);
} gale_handler_t;

/* Fills a struct with the defaults of this library for the fields within struct_size. Any thread.
 * Since 0.1. */
GALE_API void gale_config_init(gale_config_t *config, size_t struct_size);
GALE_API void gale_handler_init(gale_handler_t *handler, size_t struct_size);

static inline gale_config_t gale_config(void) {
    gale_config_t c;
    gale_config_init(&c, sizeof c);
    return c;
}
static inline gale_handler_t gale_handler(void) {
    gale_handler_t h;
    gale_handler_init(&h, sizeof h);
    return h;
}

/* --------------------------------------------------------------------------------------- server */

/* Makes a server; null config means gale_config(). Errors: GALE_EVERSION, UV_ENOMEM, UV_EINVAL.
 * Since 0.1. */
GALE_API int gale_server_new(gale_server_t *GALE_NULLABLE *GALE_NULLABLE out,
                             const gale_config_t *GALE_NULLABLE config);

/* Sets the callbacks and their data, once, before run. The struct is copied; data is borrowed until
 * on_worker_stop of the last worker has returned. Since 0.1. */
GALE_API int gale_server_handle(gale_server_t *server, const gale_handler_t *handler,
                                void *GALE_NULLABLE data);

/* Adds a listening address, bound at once; several calls, several of them:
 *   "http://127.0.0.1:8080", "http://[::1]:8080", "http://localhost:0" (0: the system chooses; a
 *       name is listened on at all its addresses, on one port), "http://0.0.0.0:80",
 *       "http://[::]:80" (IPv6 only); for HOST a star means all addresses, IPv4 and IPv6
 *   "unix:/run/app.sock" (a stale socket file is replaced, any other file is refused), "unix:@name"
 *       (abstract, Linux)
 *   "systemd:name", the sockets of that name which systemd, or a parent in its manner, handed over
 *       by LISTEN_FDS (sd_listen_fds(3)); "systemd:" all of them. UV_ENOENT when there are none.
 * Behind it may stand options, as in "unix:/run/app.sock?mode=0660&backlog=4096":
 *   proxy=required  each connection must begin with a PROXY header, version 1 or 2, or is cut; the
 *       client is who it names, and https when it came by TLS. Whoever connects is believed, so
 *       only proxies may be able to; with config.trusted_proxies only those are. There is no taking
 *       it where it happens to come: that would let any client choose its address.
 *   scheme=https    TLS ends in front of this address: gale_req_scheme unless a proxy says else
 *   reuseport=1     other processes may listen on the port too (SO_REUSEPORT); TCP
 *   mode=0660       of the socket's file; default 0600; unix
 *   backlog=4096    instead of config.backlog
 * Errors: GALE_EURL, UV_EADDRINUSE, UV_EACCES, GALE_ELIMIT beyond 32 sockets ...;
 * gale_server_errmsg has the sentence. Since 0.1. */
GALE_API int gale_server_listen(gale_server_t *server, const char *url);

/* Listens on a stream socket, TCP or unix, that someone else has bound: a parent, or this process
 * before it gave up its rights. Takes fd and closes it, also on error. options: null, or proxy,
 * scheme and backlog as behind a URL, "proxy=required". With several workers, worker 0 accepts for
 * all, since the socket's queue may be another process's as well. Errors: UV_EBADF, UV_ENOTSOCK,
 * UV_EPROTOTYPE (no stream), UV_EAFNOSUPPORT (neither TCP nor unix), GALE_EURL (options) ...
 * Since 0.1. */
GALE_API int gale_server_listen_fd(gale_server_t *server, int fd,
                                   const char *GALE_NULLABLE options);

/* Tells the service manager that started this process how it is doing, as sd_notify(3) does:
 * "READY=1" once it serves, "STOPPING=1" ...; lines for several at once. 1: sent; 0: nobody wants
 * to know (NOTIFY_SOCKET is not set); or an error. Any thread. Since 0.1. */
GALE_API int gale_notify(const char *state);

/* What went wrong in the last failed call on this server ("cannot listen on 127.0.0.1:80:
 * permission denied"). Lives until the next call on the server. Since 0.1. */
GALE_API const char *gale_server_errmsg(const gale_server_t *server);

/* TCP port of the index-th successful gale_server_listen or _listen_fd, as bound (of several
 * sockets the first's); 0 for unix sockets and unknown indexes. Since 0.1. */
GALE_API int gale_server_port(const gale_server_t *server, size_t index);

/* Runs the server on its own loops, worker 0 on the calling thread; returns after gale_server_stop,
 * when all is closed. SIGPIPE is set to ignored if it was at its default (as in _start and
 * _attach). Since 0.1. */
GALE_API int gale_server_run(gale_server_t *server);
/* The same on threads of its own; does not block. Then gale_server_stop and gale_server_join. Since
 * 0.1. */
GALE_API int gale_server_start(gale_server_t *server);
/* Waits for the threads of gale_server_start to end. Not from a callback. Since 0.1. */
GALE_API int gale_server_join(gale_server_t *server);
/* Puts one worker on the caller's uv_loop_t, which the caller runs. After gale_server_stop the loop
 * has no more handles of Gale once open requests are finished. For a loop of another kind: poll
 * uv_backend_fd(loop) for at most uv_backend_timeout(loop) and call uv_run(loop, UV_RUN_NOWAIT).
 * Since 0.1. */
GALE_API int gale_server_attach(gale_server_t *server, void *uv_loop);

/* Stops: closes the listeners and idle connections, sends 1001 to WebSockets, tells tunnels
 * (on_stop), lets open requests and tunnels finish, cuts what is left after shutdown_grace_ms.
 * In a callback, what its worker answers from then on has Connection: close. A second call cuts
 * at once. Any thread; signal handlers too. Since 0.1. */
GALE_API int gale_server_stop(gale_server_t *server);

/* Frees the server; no call may follow on it, whichever way its memory goes. One that was
 * started is stopped and joined first; from a callback it is stopped, and goes when its threads
 * have ended. One that is in gale_server_run, from a callback or another thread: stopped, and
 * goes as that returns. An attached one that still runs is cut at once and goes when the
 * caller's loop has closed its handles. Callbacks come until then. Null is allowed. Since 0.1. */
GALE_API void gale_server_free(gale_server_t *GALE_NULLABLE server);

/* -------------------------------------------------------------------------------------- figures */

/* What a server has done since it ran, and what it holds now: the sums over its workers, each of
 * which counts for itself. */
typedef struct {
    size_t struct_size; /* sizeof(gale_stats_t) */
    uint64_t connections_accepted;
    uint64_t connections_refused; /* turned away: a limit, no descriptor, no memory */
    uint64_t connections_evicted; /* idle ones closed to make room */
    uint64_t connections_open;    /* now */
    uint64_t requests;            /* complete and valid heads */
    uint64_t responses_1xx;       /* 101 */
    uint64_t responses_2xx;       /* begun, whatever became of them; refusals count too */
    uint64_t responses_3xx;
    uint64_t responses_4xx;
    uint64_t responses_5xx;
    uint64_t bytes_in;
    uint64_t bytes_out;  /* taken by the system */
    uint64_t bad_syntax; /* refused with 400 */
    uint64_t bad_target; /* 414 */
    uint64_t bad_head;   /* 431 */
    uint64_t bad_body;   /* 413 */
    uint64_t bad_other;  /* 417, 501, 505 ... */
    uint64_t timeouts_header;
    uint64_t timeouts_body;
    uint64_t timeouts_idle; /* nothing wrong: the end of most connections */
    uint64_t timeouts_write;
    uint64_t timeouts_close;  /* the client never answered a FIN or close frame */
    uint64_t websockets_open; /* now */
    uint64_t messages_in;     /* of WebSockets */
    uint64_t messages_out;
    uint64_t loop_lag_ms; /* how late the latest deadline was noticed: the time its loop was held
                             up; of the worst worker */
    uint64_t blocks_held; /* 64 KiB read buffers in use, now */
    uint64_t topics;      /* with subscribers, now; one that several workers have counts for each */
    uint64_t subscriptions;      /* now */
    uint64_t deliveries;         /* of published messages: the part of messages_out that they are */
    uint64_t deliveries_dropped; /* since their receivers were too slow */
    uint64_t slow_closed;        /* WebSockets closed for being too slow */
    uint64_t connects;           /* WebSockets that gale_ws_connect has opened */
    uint64_t connects_failed;    /* and that it has not */
    uint64_t connects_open;      /* connections of either kind, now: not in connections_open */
} gale_stats_t;

/* Fills a struct that is zero but for struct_size: gale_stats_t now = {.struct_size = sizeof now}.
 * Workers go on counting meanwhile, so what belongs together may differ by a little. Errors:
 * GALE_EVERSION. Any thread, until gale_server_free. Since 0.1. */
GALE_API int gale_stats(const gale_server_t *server, gale_stats_t *out);

/* -------------------------------------------------------------------------------------- workers */

/* Worker of a request, of a WebSocket, or of the calling thread (null outside callbacks). Loop.
 * Since 0.1. */
GALE_API gale_worker_t *gale_req_worker(const gale_req_t *req);
GALE_API gale_worker_t *gale_ws_worker(const gale_ws_t *ws);
GALE_API gale_worker_t *GALE_NULLABLE gale_worker_current(void);
/* How many workers the server has or will have, and the index-th of them, once it runs (else null).
 * Any thread. Since 0.1. */
GALE_API size_t gale_server_workers(const gale_server_t *server);
GALE_API gale_worker_t *GALE_NULLABLE gale_server_worker(gale_server_t *server, size_t index);
/* Which of its server's workers it is, from 0. Any thread. Since 0.1. */
GALE_API size_t gale_worker_index(const gale_worker_t *worker);
/* The uv_loop_t the worker runs on; what is done with it is done on the worker's thread. Since
 * 0.1. */
GALE_API void *gale_worker_loop(const gale_worker_t *worker);
/* The user's pointer of a worker, null at first; never freed by Gale. Loop. Since 0.1. */
GALE_API void gale_worker_set_data(gale_worker_t *worker, void *GALE_NULLABLE data);
GALE_API void *GALE_NULLABLE gale_worker_data(const gale_worker_t *worker);
/* Monotonic milliseconds, as cached at the start of this loop turn. Loop. Since 0.1. */
GALE_API uint64_t gale_worker_now(const gale_worker_t *worker);

/* Calls fn(arg) on the worker's loop thread, in the order posted by each thread. Any thread. After
 * the worker has ended fn is not called and the result is GALE_EGONE; what was posted before is
 * always run. Valid until gale_server_free. Since 0.1. */
GALE_API int gale_worker_post(gale_worker_t *worker, void (*fn)(void *GALE_NULLABLE arg),
                              void *GALE_NULLABLE arg);

/* Calls fn(arg) now, as a callback of the worker. For what libuv calls for handles of your own on
 * gale_worker_loop: gale_worker_current knows the worker within fn alone. GALE_ETHREAD, and no
 * call, on another thread. Loop. Since 0.1. */
GALE_API int gale_worker_call(gale_worker_t *worker, void (*fn)(void *GALE_NULLABLE arg),
                              void *GALE_NULLABLE arg);

/* Calls fn(data) after `ms`, then, when repeat_ms is not 0, every repeat_ms until stopped. A
 * one-shot timer frees itself after its call. Pending timers die with the worker, without a call.
 * Loop. Since 0.1. */
GALE_API gale_timer_t *GALE_NULLABLE gale_timer_start(gale_worker_t *worker, uint64_t ms,
                                                      uint64_t repeat_ms,
                                                      void (*fn)(void *GALE_NULLABLE data),
                                                      void *GALE_NULLABLE data);
/* Stops and frees a timer; not one that has freed itself. Also from its own callback. Null is
 * allowed. Loop. Since 0.1. */
GALE_API void gale_timer_stop(gale_timer_t *GALE_NULLABLE timer);

/* ------------------------------------------------------------------------------------- requests */

/* All slices of a request live until its on_done returns. All calls: loop only. Since 0.1. */

GALE_API gale_str_t gale_req_method(const gale_req_t *req); /* "GET"; case matters (RFC 9110 9.1) */
GALE_API gale_str_t
gale_req_target(const gale_req_t *req); /* as on the request line: "/a%20b?x=1", "*", "http://h/" */
GALE_API gale_str_t
gale_req_path(const gale_req_t *req); /* of the target, before '?'; not decoded; "*" stays "*";
                                         host:port for CONNECT */
GALE_API gale_str_t
gale_req_query(const gale_req_t *req); /* of the target, after '?'; empty if none */
GALE_API int gale_req_http_minor(const gale_req_t *req); /* 1 for HTTP/1.1, 0 for HTTP/1.0 */
/* "example.org:8080": who the request is for. By Host, but for a target in absolute form ("GET
 * http://example.org/") by that, which then stands in place of Host's value too (RFC 9112 3.2.2);
 * and before both by what a trusted proxy says (config.forwarded_family). ptr null for HTTP/1.0
 * without Host. */
GALE_API gale_str_t gale_req_host(const gale_req_t *req);
/* First field of this name, blanks at both ends removed; ptr null if there is none, not null if it
 * is empty. */
GALE_API gale_str_t gale_req_header(const gale_req_t *req, gale_str_t name);
/* All fields in order of arrival: their number, and their array in *out. */
GALE_API size_t gale_req_headers(const gale_req_t *req,
                                 const gale_header_t *GALE_NULLABLE *GALE_NULLABLE out);
/* The trailer fields behind a chunked body (RFC 9110 6.5): their number, and their array in *out.
 * They are never merged into gale_req_headers, and those that would frame, route, authorise or
 * describe the message (Content-Length, Host, Cookie, If-Match ...) are left out. Known with the
 * end of the body: 0 before it. At most 64 of 8 KiB together; over it: 431. Since 0.1. */
GALE_API size_t gale_req_trailers(const gale_req_t *req,
                                  const gale_header_t *GALE_NULLABLE *GALE_NULLABLE out);
/* The collected body; empty when there is none or it is streamed. */
GALE_API gale_str_t gale_req_body(const gale_req_t *req);
/* Whether a body comes with the request (a Content-Length above 0, or chunked). */
GALE_API bool gale_req_has_body(const gale_req_t *req);
/* The announced Content-Length; -1 when chunked, or when the body comes out of a content coding
 * (config.decompress); 0 without body. */
GALE_API int64_t gale_req_content_length(const gale_req_t *req);
/* Address of the client: writes "127.0.0.1", "::1" or, when it has none (unix sockets, in-memory
 * peers), "" into `out`, always NUL-terminated, and gives the port (0 if none) or a negative error.
 * 46 bytes hold every address. Behind one of config.trusted_proxies it is the one the proxy names,
 * if that is an IP address: the right-most of X-Forwarded-For or Forwarded that is not trusted
 * itself (RFC 7239 5.2, 7.4). An IPv4 address comes as one also from an IPv6 socket. */
GALE_API int gale_req_remote(const gale_req_t *req, char *out, size_t size);
/* The same of who is connected to the socket, whatever proxies say. */
GALE_API int gale_req_peer(const gale_req_t *req, char *out, size_t size);
/* "http" or "https": as a trusted proxy says, else as the connection is. A target that is an https
 * URL itself is refused with 421 where this is "http", unless a trusted proxy passed it on and says
 * nothing of the scheme (RFC 9110 7.4). */
GALE_API gale_str_t gale_req_scheme(const gale_req_t *req);
/* The user's pointer, null at first. */
GALE_API void gale_req_set_data(gale_req_t *req, void *GALE_NULLABLE data);
GALE_API void *GALE_NULLABLE gale_req_data(const gale_req_t *req);
/* A handle for other threads and later times. {0} when memory ran out. */
GALE_API gale_ref_t gale_req_ref(gale_req_t *req);

/* Whether the client waits for "100 Continue" before it sends the body (RFC 9110 10.1.1). That goes
 * out once the handler wants the body: as on_request returns without having answered or paused; of
 * a paused request with its gale_req_resume or gale_req_collect; at once where bodies are collected
 * before on_request. A handler that answers instead sends none, and the connection closes behind
 * its answer, as nobody knows whether the body comes then. So one that decides later whether the
 * client may send at all pauses in on_request, then answers 401, 413, 417 ... or resumes. None is
 * sent to HTTP/1.0, to a client that didn't wait, or behind gale_resp_begin. Any other expectation
 * was answered with 417. */
GALE_API bool gale_req_expects_continue(const gale_req_t *req);
/* Stops and restarts the body: no on_body meanwhile; what has arrived waits, then TCP
 * pushes back. */
GALE_API void gale_req_pause(gale_req_t *req);
GALE_API void gale_req_resume(gale_req_t *req);
/* For servers with on_body, within on_request, or later while no on_body has been called (as in a
 * pause, which it ends): collect the body, at most max_bytes of it (else 413 and on_done with
 * GALE_ELIMIT), then call on_body once. GALE_ESTATE without on_body, when no body comes, or
 * too late. */
GALE_API int gale_req_collect(gale_req_t *req, uint64_t max_bytes);
/* For servers with on_body, within on_request: another limit than max_body_bytes for this streamed
 * body. */
GALE_API int gale_req_set_max_body(gale_req_t *req, uint64_t max_bytes);

/* ---------------------------------------------------- arguments, cookies, parameters of fields */

/* What has to be decoded goes into the caller's memory, `out` of `size` bytes, and is never longer
 * than the text it comes from. Bytes are given as they are: that they are UTF-8 is the caller's to
 * check. Since 0.1. */

/* The last value of the argument `name` in a query (gale_req_query) or a collected urlencoded body
 * (gale_req_body), decoded, with a NUL behind it: its length; UV_ENOENT when there is none;
 * UV_ENOBUFS when size - 1 bytes are too few; GALE_ELIMIT with more than 1000 fields. Only '&'
 * separates (URL Standard 5.1). Any thread. */
GALE_API int gale_query_get(gale_str_t query, gale_str_t name, char *out, size_t size);
/* The next field: 1, and *pos, at first 0, moves behind it; 0 at the end; GALE_ELIMIT at once with
 * more than 1000; UV_ENOBUFS when `out` is too small for both name and value (query.len bytes never
 * are). They lie in `out`. A field without '=' has an empty value. Any thread. */
GALE_API int gale_query_next(gale_str_t query, size_t *pos, char *out, size_t size,
                             gale_str_t *name, gale_str_t *value);

/* The part of a field's value before its parameters, without blanks: "text/html" of "text/html;
 * charset=utf-8". ptr null when the quotes in it do not end. Any thread. */
GALE_API gale_str_t gale_header_main(gale_str_t field);
/* The parameter `name` of a field's value, decoded, with a NUL behind it: its length; UV_ENOENT
 * when there is none; UV_ENOBUFS; GALE_EHEADER when the field is malformed. Quoted strings (RFC
 * 9110 5.6.6), name*=UTF-8''... (RFC 8187), which goes first, and the name*0 of RFC 2231; the
 * latter two are always given in UTF-8. Of several of one name the first counts. Any thread. */
GALE_API int gale_header_param(gale_str_t field, gale_str_t name, char *out, size_t size);

/* The last cookie of this name that the client sent, without quotes and their escapes; ptr null
 * when there is none, or memory ran out. Lives until on_done returns. Loop. */
GALE_API gale_str_t gale_req_cookie(gale_req_t *req, gale_str_t name);
/* The next cookie of a Cookie field, as gale_query_next does it; what has no '=' is a value without
 * a name. Any thread. */
GALE_API int gale_cookie_next(gale_str_t field, size_t *pos, char *out, size_t size,
                              gale_str_t *name, gale_str_t *value);

/* A name under which an uploaded file can be stored, of the one its sender gave it: without
 * folders, leading dots, control and hidden characters, and what Windows gives a meaning; at most
 * 255 bytes of UTF-8, never empty. It is not unique. Its length, with a NUL behind it; UV_ENOBUFS:
 * 256 bytes hold every name. Any thread. */
GALE_API int gale_safe_filename(gale_str_t name, char *out, size_t size);

/* ---------------------------------------------------------------------------------------- forms */

/* What HTML forms send: multipart/form-data (RFC 7578), read as it arrives, fields and files; and
 * application/x-www-form-urlencoded, of which each pair is a field. Values are given as bytes:
 * browsers send what their page is encoded in, hence UTF-8. Names and file names of multipart that
 * are not UTF-8 are refused. JSON and other bodies are the caller's: gale_req_body. */

/* What becomes of a part's bytes. */
enum {
    GALE_PART_KEEP = 0,   /* kept with the form: in memory; files over memory_bytes on disk */
    GALE_PART_STREAM = 1, /* given to on_data and forgotten */
    GALE_PART_SKIP = 2    /* read past */
};

/* Limits and callbacks of one form. 0 in a field means its default. `data` is what gale_form_read
 * was given. A callback may answer the request (what is left of the form is then read past) and may
 * call gale_req_pause: no other callback comes then before gale_req_resume, and TCP pushes back. */
typedef struct {
    size_t struct_size;             /* sizeof(gale_form_handler_t), set by gale_form_handler() */
    uint64_t max_bytes;             /* of a streamed body; default max_body_bytes; over it: 413 */
    uint64_t max_file_bytes;        /* of one file; default no limit of its own; over it: 413 */
    uint32_t max_field_bytes;       /* of all fields that are kept, with their names; and of one
                                 urlencoded pair; default 1 MiB; over it: 413 */
    uint32_t max_parts;             /* of multipart; default 100; over it: 400 */
    uint32_t max_fields;            /* of urlencoded; default 1000; over it: 400 */
    uint32_t max_part_header_bytes; /* default 10240; over it, or over 16 lines: 400 */
    uint32_t memory_bytes; /* of kept files, together; the rest goes to disk; default 65536 */
    uint32_t always_disk;  /* 1: kept files go to disk whatever their size */
    /* Folder of the temporary files; default $TMPDIR or /tmp. Copied. They have no name there, or
     * (file systems without O_TMPFILE) a random one and mode 0600; they go with the form. Each
     * holds a descriptor until then. */
    const char *GALE_NULLABLE folder;

    /* A part begins; its name, file name, type and headers are known. Gives GALE_PART_*
     * (anything else ends the form with UV_EINVAL, 500); null means GALE_PART_KEEP for all.
     * `part` lives until its on_part_end has returned; one that is kept as long as the form. */
    int (*GALE_NULLABLE on_part)(gale_form_t *form, gale_part_t *part, void *GALE_NULLABLE data);
    /* Bytes of a part that is kept or streamed; they live until it returns. */
    void (*GALE_NULLABLE on_data)(gale_form_t *form, gale_part_t *part, gale_str_t bytes,
                                  void *GALE_NULLABLE data);
    /* The part is complete; if it is kept, where it stays. */
    void (*GALE_NULLABLE on_part_end)(gale_form_t *form, gale_part_t *part,
                                      void *GALE_NULLABLE data);
    /* The form is over: exactly once, before on_done. GALE_OK: it is complete; answer now or later.
     * GALE_EPROTO: malformed, GALE_ELIMIT: over a limit, or a system's error (UV_ENOSPC ...):
     * gale_form_error has the sentence; what is not answered when this returns gets it with the
     * status that fits. Else why the request ended first, as in on_done; GALE_EABORTED when it was
     * answered. Required. */
    void (*GALE_NULLABLE on_end)(gale_form_t *form, int status, void *GALE_NULLABLE data);

    /* 1: a form that fails is not answered by the core: the handler does, in on_end or later, by
     * gale_form_status. A collected body can then be read after the response has begun, too. */
    uint32_t leave_answer;
} gale_form_handler_t;

/* Fills a struct with the defaults of this library for the fields within struct_size. Any thread.
 * Since 0.1. */
GALE_API void gale_form_handler_init(gale_form_handler_t *handler, size_t struct_size);
static inline gale_form_handler_t gale_form_handler(void) {
    gale_form_handler_t h;
    gale_form_handler_init(&h, sizeof h);
    return h;
}

/* Reads the request's form. Within on_request of a server with on_body, which is then not called
 * for this request: as the body arrives. Else, when the body was collected or there is none: at
 * once, with all callbacks (but where one pauses) before this returns. The struct is copied, data
 * borrowed until on_end. A positive result is the status to answer with: 415, the body is of no
 * form's Content-Type; 400, it has a Content-Encoding, or no valid boundary. Errors: GALE_ESTATE,
 * GALE_EVERSION, UV_EINVAL, UV_ENOMEM, GALE_ETHREAD. Loop. Since 0.1. */
GALE_API int gale_form_read(gale_req_t *req, const gale_form_handler_t *handler,
                            void *GALE_NULLABLE data);
/* The request of a form. Loop. Since 0.1. */
GALE_API gale_req_t *gale_form_req(const gale_form_t *form);
/* What is wrong with it, one sentence without capital and stop; "" when nothing is. Static. Loop.
 * Since 0.1. */
GALE_API const char *gale_form_error(const gale_form_t *form);
/* The status that fits what is wrong with it: 400, 413, 500 or 503; 0 when nothing is. Loop.
 * Since 0.1. */
GALE_API int gale_form_status(const gale_form_t *form);
/* The kept parts in order of arrival: the one behind `part`, or the first; null at the end. Loop.
 * Since 0.1. */
GALE_API gale_part_t *GALE_NULLABLE gale_form_next(const gale_form_t *form,
                                                   const gale_part_t *GALE_NULLABLE part);
/* The last kept field (a part without file name) of this name; ptr null when there is none. Lives
 * as long as the form. Loop. Since 0.1. */
GALE_API gale_str_t gale_form_value(const gale_form_t *form, gale_str_t name);
/* The last kept file of this name of a field. Loop. Since 0.1. */
GALE_API gale_part_t *GALE_NULLABLE gale_form_file(const gale_form_t *form, gale_str_t name);

/* Its name in the form. Slices of a part live as long as the part. Loop. Since 0.1. */
GALE_API gale_str_t gale_part_name(const gale_part_t *part);
/* The name its sender gave the file, which may be a path, or anything (gale_safe_filename); empty:
 * the part is a field. Loop. Since 0.1. */
GALE_API gale_str_t gale_part_filename(const gale_part_t *part);
/* Its Content-Type as its sender says; of a file without one "application/unknown", of a field ptr
 * null. Loop. Since 0.1. */
GALE_API gale_str_t gale_part_type(const gale_part_t *part);
/* First header of this name of a part of multipart; ptr null if there is none. Loop. Since 0.1. */
GALE_API gale_str_t gale_part_header(const gale_part_t *part, gale_str_t name);
/* Bytes that have come so far. Loop. Since 0.1. */
GALE_API uint64_t gale_part_size(const gale_part_t *part);
/* The bytes of a part that is kept in memory; ptr null when it is on disk, or not kept. Loop.
 * Since 0.1. */
GALE_API gale_str_t gale_part_bytes(const gale_part_t *part);
/* Descriptor of a file that is kept on disk, at its start, for reading; -1 when it is in memory.
 * From on_part_end on. Loop. Since 0.1. */
GALE_API int gale_part_fd(const gale_part_t *part);
/* The same, which the caller then owns and closes; UV_ENOENT when there is none. Loop.
 * Since 0.1. */
GALE_API int gale_part_take_fd(gale_part_t *part);
/* Stores a kept file as `path`, which must not exist (UV_EEXIST), with mode 0600. What is on disk
 * is not copied: path must be on the file system of `folder` (UV_EXDEV). From on_part_end on. Loop.
 * Since 0.1. */
GALE_API int gale_part_save(gale_part_t *part, const char *path);

/* ------------------------------------------------------------------------------------ responses */

/* The core adds Server, Date, Content-Length or Transfer-Encoding, and Connection; a caller's Date
 * or Server takes the place of the core's; a caller's Content-Length (other than of a HEAD or 304
 * response), Transfer-Encoding or Connection is refused with GALE_EHEADER, except "Connection:
 * close"; with a caller's Upgrade, as 426 has, goes "Connection: Upgrade" (RFC 9110 7.8). A 2xx to
 * CONNECT has no length and ends by closing; for a tunnel see gale_tunnel_accept. Names must be
 * tokens; values must hold no control character but TAB. On error nothing is sent and the request
 * can still be answered. What one callback writes goes out together when it returns, but for copied
 * writes of more than 4096 bytes, which take all before them along. To HEAD the body is left out.
 * All calls: loop only. Since 0.1. */

/* Whole response, body copied. status 200-599 (not 1xx); the reason phrase is the standard one. */
GALE_API int gale_respond(gale_req_t *req, int status, const gale_header_t *GALE_NULLABLE headers,
                          size_t count, gale_str_t body);
/* Whole response, body owned: sent without a copy. */
GALE_API int gale_respond_buf(gale_req_t *req, int status,
                              const gale_header_t *GALE_NULLABLE headers, size_t count,
                              gale_buf_t body);
/* Whole response with "Content-Type: text/plain; charset=utf-8" and a NUL-terminated body. */
GALE_API int gale_respond_text(gale_req_t *req, int status, const char *text);

/* Begins a streamed response. length: of the body, or -1 when unknown (chunked to HTTP/1.1; ended
 * by closing to HTTP/1.0). Nothing need be sent before the first write. */
GALE_API int gale_resp_begin(gale_req_t *req, int status,
                             const gale_header_t *GALE_NULLABLE headers, size_t count,
                             int64_t length);
/* Writes body bytes: 0; or 1 when more than write_high_water are queued (taken all the same;
 * on_drain tells when to go on); GALE_ELIMIT at write_limit, after which the connection is cut;
 * GALE_ELENGTH beyond the announced length (not taken). The first form copies what cannot be sent
 * at once, the second owns. */
GALE_API int gale_resp_write(gale_req_t *req, gale_str_t bytes);
GALE_API int gale_resp_write_buf(gale_req_t *req, gale_buf_t bytes);
/* Sends what is written so far without waiting for the callback to return. */
GALE_API int gale_resp_flush(gale_req_t *req);
/* Ends a streamed response. Trailers only where no length was announced, else GALE_ESTATE, and none
 * of those that gale_req_trailers leaves out: GALE_EHEADER; to HTTP/1.0 and HEAD, where they have
 * no place, they are left out. With fewer bytes than announced: GALE_ELENGTH; if nothing was sent
 * yet 500 goes out in its place and the connection closes, else it is cut. */
GALE_API int gale_resp_end(gale_req_t *req, const gale_header_t *GALE_NULLABLE trailers,
                           size_t count);
/* Body bytes that wait to be taken by the system. */
GALE_API size_t gale_resp_queued(const gale_req_t *req);
/* Whether the head of the response is decided (begin or respond was called). */
GALE_API bool gale_resp_begun(const gale_req_t *req);
/* Gives up: cuts the connection, so that the client sees the response is incomplete. on_done:
 * GALE_EABORTED. */
GALE_API void gale_resp_abort(gale_req_t *req);
/* Which codings this response may be sent in, GALE_CODING_*, in place of config.compress; 0: none.
 * Before it is begun, else GALE_ESTATE. Loop. Since 0.1.
 *
 * A response is coded when its client likes one of them better than the plain body (Accept-Encoding
 * with its weights; among equals zstd, br, gzip, deflate), its Content-Type is text, JSON, XML,
 * script, or another that gets smaller, and its body is compress_min_bytes or more, or of unknown
 * length. It then has Content-Encoding, and a strong ETag is made weak; whether it is coded or not,
 * Vary names Accept-Encoding. A whole body is compressed before its head is sent, and goes out
 * plain if it got no smaller; one that is too much for a turn of the loop, which has two
 * milliseconds' worth of it for all clients (64 KiB of gzip at level 6, 256 KiB at most), goes out
 * in chunks, piece by piece. A streamed one can be read by the client up to where the callback
 * ended or gale_resp_flush was called, so events are not held back; an announced length still
 * counts the handler's bytes. Never coded are 204, 205, 206, 304 and answers to CONNECT, what is
 * streamed with a known length to HTTP/1.0, and what has Content-Encoding, Content-Range, a digest
 * of the body, or Cache-Control: no-transform. A client that refuses the plain body (identity;q=0)
 * gets any other type and length coded, too. (RFC 9110 8.4, 12.5.3; GZ-01, GZ-02, GZ-03)
 *
 * A warning: the length of a compressed page tells whoever can read lengths and have the victim's
 * browser ask, how much what they put into it is like what else is in it (BREACH). So a page that
 * has both something of the request and a secret should not be compressed, or mask its secret anew
 * each time. */
GALE_API int gale_req_set_compression(gale_req_t *req, uint32_t codings);
/* Sends `length` bytes of an open file from `offset`, with back-pressure, without holding up the
 * loop: the body of a whole response. Takes fd and closes it, also on error. length -1: to the end
 * of the file. UV_EINVAL for a folder, pipe or socket. */
GALE_API int gale_resp_file(gale_req_t *req, int status, const gale_header_t *GALE_NULLABLE headers,
                            size_t count, int fd, uint64_t offset, int64_t length);

/* Answers GET or HEAD with an open regular file: 200; 206 for ranges, several as
 * multipart/byteranges (RFC 9110 14); 304 or 412 by the request's conditions (13); 416. ETag (from
 * size, times of change and inode), Last-Modified, Accept-Ranges and nosniff are added; an ETag or
 * Last-Modified among `headers` takes their place and is what conditions are about. `headers` go
 * with every status; Content-Type should be one. Takes fd and closes it, also on error. Errors:
 * UV_EBADF, UV_EINVAL when it is no regular file, and those of gale_respond. Since 0.1. */
GALE_API int gale_respond_file(gale_req_t *req, const gale_header_t *GALE_NULLABLE headers,
                               size_t count, int fd);

/* --------------------------------------------------------------------------------- static files */

/* A folder whose files are served. Made before run or in a callback; used on any worker; freed
 * after run. */
typedef struct gale_files_s gale_files_t;

/* What is served of a folder, and how. 0 or null in a field means its default. */
typedef struct {
    size_t struct_size; /* sizeof(gale_files_config_t), set by gale_files_config() */
    /* Name of the file that stands for its folder; default "index.html"; "": none does. */
    const char *GALE_NULLABLE index;
    /* Cache-Control of what is asked for without its version; default: not sent. */
    const char *GALE_NULLABLE cache_control;
    uint32_t version_max_age; /* seconds a cache may keep what is asked for by its version (?v=);
                                 default 31536000, a year */
    uint32_t dotfiles; /* 1: serve names that begin with a dot, "." and ".." never; default 403 */
    uint32_t symlinks; /* GALE_SYMLINKS_*; default those that stay within the folder */
    uint32_t no_precompressed; /* 1: never send name.br, name.zst or name.gz in place of name */
} gale_files_config_t;

/* Symlinks that are followed, all others are 403: those that lead nowhere outside of the folder, by
 * relative paths alone: an absolute one is refused even where it names a file of the folder, since
 * it begins outside of it (none at all on systems without openat2(2)); any; none. */
enum { GALE_SYMLINKS_INSIDE = 0, GALE_SYMLINKS_ALL = 1, GALE_SYMLINKS_NONE = 2 };

/* Fills a struct with the defaults of this library for the fields within struct_size. Any thread.
 * Since 0.1. */
GALE_API void gale_files_config_init(gale_files_config_t *config, size_t struct_size);
static inline gale_files_config_t gale_files_config(void) {
    gale_files_config_t c;
    gale_files_config_init(&c, sizeof c);
    return c;
}

/* Opens the folder `root`, with defaults. Errors: UV_ENOENT, UV_ENOTDIR, UV_EACCES ... Any thread.
 * Since 0.1. */
GALE_API int gale_files_open(gale_files_t *GALE_NULLABLE *GALE_NULLABLE out, const char *root);
/* The same with settings, whose strings are copied; null: defaults. Errors also GALE_EVERSION and
 * UV_EINVAL. Any thread. Since 0.1. */
GALE_API int gale_files_open_with(gale_files_t *GALE_NULLABLE *GALE_NULLABLE out, const char *root,
                                  const gale_files_config_t *GALE_NULLABLE config);
/* Answers GET and HEAD with the file at `path`: percent-encoded, relative to the folder, as it
 * stands in a target. GALE_OK: answered, as gale_respond_file does, or with 301 to a folder's
 * path with its slash. A positive result is the status the caller should answer with: 403 for
 * paths that lead out of the folder, by "..", symlinks or encoding tricks, for dot-files, and
 * for what is no regular file; 400 for paths that decode to no text; 404; 405; 414; 500; 503
 * when no descriptor or memory is left. name.br, name.zst or name.gz beside the file, if not
 * older, is sent with its Content-Encoding to who prefers it (RFC 9110 12.5.3), with an ETag and
 * ranges of its own. `headers` as in gale_respond_file. Loop. Since 0.1. */
GALE_API int gale_files_serve(gale_files_t *files, gale_req_t *req, gale_str_t path,
                              const gale_header_t *GALE_NULLABLE headers, size_t count);
/* The version of a file for its URL: 32 hex digits of the SHA-256 of what is in it, with a NUL, so
 * `out` holds 33 bytes. `path` as in gale_files_serve. Asked for as path?v=VERSION, and as long as
 * that is its version, the file goes with "Cache-Control: public, max-age=31536000, immutable" and
 * Expires; so it does for a v of any other shape, which the application answers for (STA-04). The
 * file is read when it has changed since it was last asked about; but in a callback only if that
 * takes no disk and no longer than a millisecond, else by the thread pool: UV_EAGAIN until that is
 * done. Errors: UV_ENOENT, UV_EACCES, UV_EINVAL and others; then out is "". Any thread, several at
 * a time. Since 0.1. */
GALE_API int gale_files_version(gale_files_t *files, gale_str_t path, char *out);
/* Frees it; not while a server still uses it. Null is allowed. Any thread. Since 0.1. */
GALE_API void gale_files_free(gale_files_t *GALE_NULLABLE files);

/* --------------------------------------------------------------------------- server-sent events */

/* One event of a stream (WHATWG HTML 9.2.6). Fields whose ptr is null are not sent. */
typedef struct {
    size_t struct_size; /* sizeof(gale_sse_event_t), set by gale_sse_event() */
    gale_str_t data;    /* text of any number of lines, UTF-8; without it the client only takes note
                           of id and retry */
    gale_str_t event;   /* its type, one line; the client's default is "message" */
    gale_str_t id;      /* one line without NUL: what the client says in Last-Event-ID when it comes
                           back; empty: it forgets */
    uint32_t retry_ms;  /* how long the client waits before it comes back; 0: not sent */
} gale_sse_event_t;

static inline gale_sse_event_t gale_sse_event(gale_str_t data) {
    gale_sse_event_t e = {sizeof e, data, {NULL, 0}, {NULL, 0}, 0};
    return e;
}

/* Begins a stream of events: 200 with Content-Type, Cache-Control and the caller's headers (at most
 * 64). While nothing else is sent, a comment goes out every heartbeat_ms (0: 15000), so that
 * proxies keep the connection and a client that is gone is noticed. gale_resp_end or
 * gale_resp_abort ends it. Errors as gale_resp_begin. Loop. Since 0.1. */
GALE_API int gale_sse_begin(gale_req_t *req, uint32_t heartbeat_ms,
                            const gale_header_t *GALE_NULLABLE headers, size_t count);
/* Sends an event: 0, or 1 above write_high_water, as gale_resp_write; it goes out when the callback
 * returns. GALE_EHEADER for an event or id that is no line. Loop. Since 0.1. */
GALE_API int gale_sse_send(gale_req_t *req, const gale_sse_event_t *event);
/* Writes an event as it goes over the wire, at most `size` bytes, and gives the length of all of
 * it, or an error as gale_sse_send: for who sends one to many, by gale_resp_write. Any thread.
 * Since 0.1. */
GALE_API int64_t gale_sse_format(char *GALE_NULLABLE out, size_t size,
                                 const gale_sse_event_t *event);
/* Last-Event-ID of a client that comes back; ptr null when it doesn't say. Loop. Since 0.1. */
GALE_API gale_str_t gale_sse_last_id(const gale_req_t *req);

/* --------------------------------------------------------------------------------- rate limiter */

/* Token buckets, one a key: how often may a client, a user, an address do something. Fixed memory,
 * constant time, no allocation a call. */
typedef struct gale_limiter_s gale_limiter_t;

/* How many, how often, for how many keys. 0 in a field means its default. */
typedef struct {
    size_t struct_size; /* sizeof(gale_limiter_config_t) */
    uint32_t tokens;    /* that come back to a key in each period; required */
    uint32_t period_ms; /* default 1000 */
    uint32_t burst;     /* tokens a key can save up; default `tokens` */
    uint32_t max_keys;  /* remembered at a time, 16 bytes each; default 65536, rounded up to a power
                           of two. Beyond them those that have used least are forgotten first */
} gale_limiter_config_t;

/* Makes a limiter. Errors: GALE_EVERSION, UV_EINVAL for figures that make no sense (tokens 0),
 * UV_ENOMEM. Any thread. Since 0.1. */
GALE_API int gale_limiter_new(gale_limiter_t *GALE_NULLABLE *GALE_NULLABLE out,
                              const gale_limiter_config_t *config);
/* Takes tokens of the key's bucket, which is full when the key is new: 0; or, with nothing taken,
 * the milliseconds until there are enough (429 with Retry-After, RFC 6585 4, is the caller's
 * answer); GALE_ELIMIT when there never will be (more than `burst`). The key is any bytes; clients
 * with IPv6 should share one by their first 8 bytes, since they own what follows. now_ms is a
 * monotonic clock, such as gale_worker_now; 0: the limiter looks at the clock itself. Any thread,
 * several at a time. Since 0.1. */
GALE_API int64_t gale_limiter_take(gale_limiter_t *limiter, gale_str_t key, uint32_t tokens,
                                   uint64_t now_ms);
/* Frees it; not while another thread uses it. Null is allowed. Any thread. Since 0.1. */
GALE_API void gale_limiter_free(gale_limiter_t *GALE_NULLABLE limiter);

/* --------------------------------------------------------------------------- any-thread handles */

/* Answers a request from any thread. headers are copied, the body is taken in every case. 0: handed
 * over (if the client leaves meanwhile, on_done says so); GALE_EGONE: the request is already over.
 * Since 0.1. */
GALE_API int gale_ref_respond(gale_server_t *server, gale_ref_t ref, int status,
                              const gale_header_t *GALE_NULLABLE headers, size_t count,
                              gale_buf_t body);
/* Calls fn on the loop thread of what ref names; there gale_ref_req, gale_ref_ws or gale_ref_tunnel
 * gives it, or null if it has gone meanwhile. fn is always called when the result is 0. Any thread.
 * Since 0.1. */
GALE_API int gale_ref_post(gale_server_t *server, gale_ref_t ref,
                           void (*fn)(gale_server_t *server, gale_ref_t ref,
                                      void *GALE_NULLABLE arg),
                           void *GALE_NULLABLE arg);
/* Sends a WebSocket message from any thread; bytes are taken in every case. kind as in
 * gale_ws_send. On the socket's own loop it is sent at once, as gale_ws_send does. Since 0.1. */
GALE_API int gale_ref_send(gale_server_t *server, gale_ref_t ref, int kind, gale_buf_t bytes);
/* Writes to a tunnel from any thread; bytes are taken in every case. GALE_EGONE: it is closed
 * already. Any thread. Since 0.1. */
GALE_API int gale_ref_write(gale_server_t *server, gale_ref_t ref, gale_buf_t bytes);
/* What a ref names, on its own loop thread; null when it is gone, of another kind, or of another
 * worker. Since 0.1. */
GALE_API gale_req_t *GALE_NULLABLE gale_ref_req(gale_server_t *server, gale_ref_t ref);
GALE_API gale_ws_t *GALE_NULLABLE gale_ref_ws(gale_server_t *server, gale_ref_t ref);
GALE_API gale_tunnel_t *GALE_NULLABLE gale_ref_tunnel(gale_server_t *server, gale_ref_t ref);

/* ------------------------------------------------------------------------------------ WebSocket */

/* Kinds of message (RFC 6455 11.8). */
enum { GALE_WS_TEXT = 1, GALE_WS_BINARY = 2 };
/* Added to a kind that is sent: never compressed. For messages that hold a secret beside what
 * somebody else can choose, whose length would tell of it (as with BREACH), and for what is
 * compressed already. */
enum { GALE_WS_PLAIN = 16 };

/* Callbacks of one WebSocket; `data` is what gale_ws_accept was given. Loop. */
typedef struct {
    size_t struct_size; /* sizeof(gale_ws_handler_t), set by gale_ws_handler() */
    /* A whole message; text is valid UTF-8. `bytes` live until it returns. */
    void (*GALE_NULLABLE on_message)(gale_ws_t *ws, int kind, gale_str_t bytes,
                                     void *GALE_NULLABLE data);
    /* A ping (already answered) or a pong came. */
    void (*GALE_NULLABLE on_ping)(gale_ws_t *ws, gale_str_t payload, void *GALE_NULLABLE data);
    void (*GALE_NULLABLE on_pong)(gale_ws_t *ws, gale_str_t payload, void *GALE_NULLABLE data);
    /* The send queue fell below write_low_water after a send had returned 1. */
    void (*GALE_NULLABLE on_drain)(gale_ws_t *ws, void *GALE_NULLABLE data);
    /* The socket is closed: exactly once, last of all. code: the peer's close code, 1005 if it gave
     * none, 1006 when the connection broke without a close frame; the one it was sent when it
     * broke the protocol or was too slow; 1001 also when the server stopped. Negative when one of
     * gale_ws_connect was never open: why not, and `reason` says it in one sentence. */
    void (*GALE_NULLABLE on_close)(gale_ws_t *ws, int code, gale_str_t reason,
                                   void *GALE_NULLABLE data);
    /* Messages of a topic were dropped, `dropped` of them since it was last called, because the
     * client was too slow (GALE_SLOW_DROP_*). The topic's name lives until it returns. At most once
     * a turn of the loop for each topic. */
    void (*GALE_NULLABLE on_lag)(gale_ws_t *ws, gale_str_t topic, size_t dropped,
                                 void *GALE_NULLABLE data);
} gale_ws_handler_t;

/* As gale_handler_init. Any thread. Since 0.1. */
GALE_API void gale_ws_handler_init(gale_ws_handler_t *handler, size_t struct_size);
static inline gale_ws_handler_t gale_ws_handler(void) {
    gale_ws_handler_t h;
    gale_ws_handler_init(&h, sizeof h);
    return h;
}

/* How gale_ws_accept_with answers. */
typedef struct {
    size_t struct_size; /* sizeof(gale_ws_options_t), set by gale_ws_options() */
    /* The subprotocol that is agreed on, one of those the client offered (RFC 6455 4.2.2; WS-06);
     * empty: none. */
    gale_str_t subprotocol;
    /* Origins that are let in beside the server's own, as of gale_req_allowed_origin (WS-05). */
    const gale_str_t *GALE_NULLABLE origins;
    size_t origin_count;
    uint32_t no_deflate; /* 1: no permessage-deflate for this socket, whatever ws_deflate says */
    /* More fields of the answer (Set-Cookie ...). */
    const gale_header_t *GALE_NULLABLE headers;
    size_t header_count;
} gale_ws_options_t;

/* As gale_handler_init. Any thread. Since 0.1. */
GALE_API void gale_ws_options_init(gale_ws_options_t *options, size_t struct_size);
static inline gale_ws_options_t gale_ws_options(void) {
    gale_ws_options_t o;
    gale_ws_options_init(&o, sizeof o);
    return o;
}

/* Whether the request asks for an upgrade to WebSocket at all (Upgrade: websocket). Loop.
 * Since 0.1. */
GALE_API bool gale_req_wants_websocket(const gale_req_t *req);
/* Completes the handshake (RFC 6455 4.2) with 101. On success the request ends: its on_done comes
 * with GALE_EUPGRADED before this returns, and *out lives until on_close. Options may be null:
 * none. A request that is no valid handshake is answered here, with 400, 405 or 426, one from a
 * foreign origin with 403, and the result is GALE_EHANDSHAKE. Not answered: GALE_EHEADER for a
 * field that cannot be sent, a subprotocol that the client did not offer, or a field that is not
 * the caller's (Sec-WebSocket-Accept, Sec-WebSocket-Extensions); GALE_EVERSION. Loop. Since
 * 0.1. */
GALE_API int gale_ws_accept_with(gale_req_t *req, const gale_ws_handler_t *handler,
                                 void *GALE_NULLABLE data,
                                 const gale_ws_options_t *GALE_NULLABLE options,
                                 gale_ws_t *GALE_NULLABLE *GALE_NULLABLE out);
/* The same from any origin, with the given extra fields (Set-Cookie, Sec-WebSocket-Protocol ...):
 * checking Origin is the caller's, see gale_req_same_origin. Loop. Since 0.1. */
GALE_API int gale_ws_accept(gale_req_t *req, const gale_ws_handler_t *handler,
                            void *GALE_NULLABLE data, const gale_header_t *GALE_NULLABLE headers,
                            size_t count, gale_ws_t *GALE_NULLABLE *GALE_NULLABLE out);
/* The subprotocols that the client offers, the ones it likes best first (RFC 6455 4.1; WS-06): up
 * to `max` are put at `out`, slices of the request; gives how many there are. Loop. Since 0.1. */
GALE_API size_t gale_ws_offered(const gale_req_t *req, gale_str_t *GALE_NULLABLE out, size_t max);
/* The first that the client offers of those that are `supported`, as it stands there; empty (ptr
 * null) when it is none. For gale_ws_options_t. Loop. Since 0.1. */
GALE_API gale_str_t gale_ws_choose(const gale_req_t *req, const gale_str_t *supported,
                                   size_t count);
/* Whether Origin is absent, or is http or https and names the same host and port as Host (RFC 6454
 * 5), where the default port of Origin's scheme is as good as none. The scheme itself is compared
 * where that of the request is known (from a trusted proxy, a PROXY header, scheme=https): a plain
 * connection may come from a proxy that ends TLS and says nothing of it. Two Origin fields are no
 * origin. Sec-WebSocket-Origin stands for it where it is missing. Loop. Since 0.1. */
GALE_API bool gale_req_same_origin(const gale_req_t *req);
/* The same, or one of those allowed: "https://example.com", with the port when it is not the
 * scheme's own; with "*." in front of the host for all below it, not itself; "*" alone for all,
 * "null" too. Case does not count. Loop. Since 0.1. */
GALE_API bool gale_req_allowed_origin(const gale_req_t *req,
                                      const gale_str_t *GALE_NULLABLE allowed, size_t count);

/* Sends a message (a text must be UTF-8; that is the caller's part): 0, 1 above write_high_water,
 * GALE_ESTATE after close, GALE_ELIMIT at write_limit (then cut). Compressed when that was agreed
 * on and makes it smaller (ws_deflate), unless kind has GALE_WS_PLAIN. The first form copies what
 * cannot be sent at once, the second owns. Loop. Since 0.1. */
GALE_API int gale_ws_send(gale_ws_t *ws, int kind, gale_str_t bytes);
GALE_API int gale_ws_send_buf(gale_ws_t *ws, int kind, gale_buf_t bytes);
/* Sends a ping of at most 125 bytes. Loop. Since 0.1. */
GALE_API int gale_ws_ping(gale_ws_t *ws, gale_str_t payload);
/* Begins the closing handshake: code 1000-1014 but 1004-1006, or 3000-4999; reason at most 123
 * bytes of UTF-8. Loop. Since 0.1. */
GALE_API int gale_ws_close(gale_ws_t *ws, int code, gale_str_t reason);
/* Cuts the connection without a closing handshake. Loop. Since 0.1. */
GALE_API void gale_ws_abort(gale_ws_t *ws);
/* Stops and restarts on_message; what has arrived waits, then TCP pushes back. Loop. Since 0.1. */
GALE_API void gale_ws_pause(gale_ws_t *ws);
GALE_API void gale_ws_resume(gale_ws_t *ws);
/* Bytes that wait to be taken by the system. Loop. Since 0.1. */
GALE_API size_t gale_ws_queued(const gale_ws_t *ws);
/* What its callbacks are given as `data`; gale_ws_accept sets it first. Loop. Since 0.1. */
GALE_API void gale_ws_set_data(gale_ws_t *ws, void *GALE_NULLABLE data);
GALE_API void *GALE_NULLABLE gale_ws_data(const gale_ws_t *ws);
/* A handle for other threads and later times. {0} when memory ran out, and in on_close. Loop. Since
 * 0.1. */
GALE_API gale_ref_t gale_ws_ref(gale_ws_t *ws);

/* ----------------------------------------------------------------------------- WebSocket client */

/* How gale_ws_connect connects. 0 in a field means its default. */
typedef struct {
    size_t struct_size; /* sizeof(gale_ws_connect_options_t), set by gale_ws_connect_options() */
    /* The handshake is done and the socket open; before any on_message. What the server answered
     * is known until it returns (gale_ws_answer_*). */
    void (*GALE_NULLABLE on_open)(gale_ws_t *ws, void *GALE_NULLABLE data);
    /* Subprotocols that are offered, the ones liked best first: tokens, none twice. */
    const gale_str_t *GALE_NULLABLE subprotocols;
    size_t subprotocol_count;
    gale_str_t origin; /* "https://example.com"; empty: no Origin, as programs have none */
    /* More fields of the request (Authorization, Cookie ...). None that are the handshake's own or
     * frame a body; Host stands for that of the URL. Those three are not sent to another server
     * that a redirect leads to. */
    const gale_header_t *GALE_NULLABLE headers;
    size_t header_count;
    uint32_t connect_timeout_ms; /* from looking up the name to on_open; default 20000 */
    uint32_t max_redirects;      /* that are followed (301, 302, 303, 307, 308), to the same scheme;
                                    default none: the server's answer is a failure then */
    uint32_t max_header_bytes;   /* of the answer's head; default config.max_header_bytes */
    /* permessage-deflate that is offered: 0, the default: none. 1: each message by itself. 2: with
     * windows that are kept, within config.ws_deflate_memory (beyond it as 1). */
    uint32_t deflate;
    uint32_t deflate_window_bits; /* 9 to 15, for both sides; default 15, with deflate 2: 12 */
    uint32_t deflate_min_bytes;   /* default config.ws_deflate_min_bytes */
    /* The next are as those of gale_config_t with ws_ in front, for this socket; default: what the
     * worker's server has there. UINT32_MAX milliseconds are 49 days. */
    uint64_t max_message_bytes;
    uint32_t close_timeout_ms;
    uint32_t ping_interval_ms;
    uint32_t ping_timeout_ms;
    uint32_t idle_timeout_ms;
} gale_ws_connect_options_t;

/* As gale_handler_init. Any thread. Since 0.1. */
GALE_API void gale_ws_connect_options_init(gale_ws_connect_options_t *options, size_t struct_size);
static inline gale_ws_connect_options_t gale_ws_connect_options(void) {
    gale_ws_connect_options_t o;
    gale_ws_connect_options_init(&o, sizeof o);
    return o;
}

/* Opens a WebSocket as a client (RFC 6455 4.1; WS-19), on this worker's loop, to
 *   "ws://HOST:PORT/PATH?QUERY"; without a port 80; all addresses of a name are tried in turn
 *   "ws+unix:FILE:/PATH"; "ws+unix:@name:/PATH" in Linux's abstract namespace
 * Nothing is called before this returns; then on_open, and what follows is as for a socket of the
 * server's, limits too. Or on_close, with an error and a sentence: no address (UV_EAI_NONAME ...),
 * no connection (UV_ECONNREFUSED ...), an answer that is none (GALE_EPROTO), or that refuses or
 * does not fit what was asked for (GALE_EHANDSHAKE), too many redirects (GALE_ELIMIT),
 * GALE_ETIMEDOUT, GALE_ESHUTDOWN, GALE_EABORTED. gale_ws_abort may be called meanwhile; sending
 * and closing give GALE_ESTATE until it is open. *out lives until on_close has returned; url,
 * structs and all they point to are copied.
 *
 * Such a socket is on no list of clients: max_connections and what goes with it do not hold for it,
 * gale_stats counts its bytes and messages but not its connection as one that was accepted, and
 * gale_server_stop closes it with 1001, or ends the attempt. A name that is being looked up then
 * holds the worker open until the system has given it up.
 *
 * Not begun: GALE_ETHREAD, GALE_EVERSION, GALE_EWSURL, GALE_ENOTLS (wss://), GALE_EHEADER for a
 * field, subprotocol or origin that cannot be sent, GALE_ESHUTDOWN, UV_EINVAL, UV_ENOMEM. Loop.
 * Since 0.1. */
GALE_API int gale_ws_connect(gale_worker_t *worker, gale_str_t url,
                             const gale_ws_handler_t *handler, void *GALE_NULLABLE data,
                             const gale_ws_connect_options_t *GALE_NULLABLE options,
                             gale_ws_t *GALE_NULLABLE *GALE_NULLABLE out);
/* The status of the server's answer, the last one's of several; 0 without one. In on_open, and in
 * on_close of a socket that was never open. Loop. Since 0.1. */
GALE_API int gale_ws_answer_status(const gale_ws_t *ws);
/* Its fields, as gale_req_headers: their number, and their array in *out. At the same times, and
 * the slices live as long. Loop. Since 0.1. */
GALE_API size_t gale_ws_answer_headers(const gale_ws_t *ws,
                                       const gale_header_t *GALE_NULLABLE *GALE_NULLABLE out);
/* The subprotocol that the server chose; empty: none. In on_open. Loop. Since 0.1. */
GALE_API gale_str_t gale_ws_answer_subprotocol(const gale_ws_t *ws);

/* --------------------------------------------------------------------------------------- topics */

/* A topic is a name, any 1 to 255 bytes, that WebSockets subscribe to. What is published under it
 * goes to all who do, on all workers: framed once, copied for nobody. A topic begins with its first
 * subscriber and ends with its last; publishing to one that nobody subscribes to does nothing.
 *
 * What a thread, or a worker's callbacks, publish and gale_ws_send to a socket comes in that order.
 * What is published in a turn of the loop goes out at its end, to each socket in one piece.
 *
 * A client that takes messages more slowly than they come is let wait for ws_slow_limit bytes of a
 * topic, beside those that the system holds for it already and 16 KiB on their way there. The
 * others, and whoever publishes, never wait for it. What then becomes of it: */
enum {
    GALE_SLOW_CLOSE = 1,       /* it is closed with 1013 (on_close gets that code): it can come back
                                  and ask for what it has missed */
    GALE_SLOW_DROP_OLDEST = 2, /* the topic's oldest that wait are dropped for the new: for what is
                                  soon out of date; on_lag tells */
    GALE_SLOW_DROP_NEWEST = 3  /* the new are dropped: what it gets has no gap up to where on_lag
                                  is called, and the handler makes the rest good, or ends it */
};

/* Subscribes with the server's policy and limit: 0; 1 when it did already (the policy is then as
 * now). What was published before is not for it. Errors: UV_EINVAL for a name that is none,
 * GALE_ELIMIT beyond ws_max_topics, GALE_ESTATE after close, GALE_EGONE, UV_ENOMEM. Closing ends
 * all subscriptions. Loop. Since 0.1. */
GALE_API int gale_ws_subscribe(gale_ws_t *ws, gale_str_t topic);
/* The same with a policy (GALE_SLOW_*) and limit of its own; 0: the server's. Loop. Since 0.1. */
GALE_API int gale_ws_subscribe_with(gale_ws_t *ws, gale_str_t topic, uint32_t slow, uint64_t limit);
/* Ends a subscription: 0; 1 when there is none. What waits of the topic because the client is slow
 * is dropped. UV_EINVAL. Loop. Since 0.1. */
GALE_API int gale_ws_unsubscribe(gale_ws_t *ws, gale_str_t topic);
/* Sends a message to all who subscribe; kind as in gale_ws_send. The bytes are copied, once. 0,
 * also when nobody subscribes or the server doesn't run; UV_EINVAL, UV_ENOMEM (then nobody gets
 * it). Any thread, until gale_server_free. Since 0.1. */
GALE_API int gale_publish(gale_server_t *server, gale_str_t topic, int kind, gale_str_t bytes);
/* The same to all but this socket, whether it subscribes or not. Loop. Since 0.1. */
GALE_API int gale_ws_publish(gale_ws_t *ws, gale_str_t topic, int kind, gale_str_t bytes);
/* How many sockets of this worker subscribe. Loop. Since 0.1. */
GALE_API size_t gale_worker_subscribers(const gale_worker_t *worker, gale_str_t topic);

/* -------------------------------------------------------------------------------------- tunnels */

/* A request that becomes a raw byte stream, in both directions: by Upgrade to a protocol that is
 * not WebSocket (RFC 9110 7.8), or by CONNECT (RFC 9110 9.3.6). */

/* Callbacks of one tunnel; `data` is what gale_tunnel_accept was given. Loop. */
typedef struct {
    size_t struct_size; /* sizeof(gale_tunnel_handler_t), set by gale_tunnel_handler() */
    /* Bytes from the client, first of all those that came close behind the request. They live until
     * it returns. */
    void (*GALE_NULLABLE on_data)(gale_tunnel_t *tunnel, gale_str_t bytes,
                                  void *GALE_NULLABLE data);
    /* The client has shut down its sending side: no on_data follows, but it still reads. Null: the
     * tunnel ends (gale_tunnel_end). */
    void (*GALE_NULLABLE on_end)(gale_tunnel_t *tunnel, void *GALE_NULLABLE data);
    /* The send queue fell below write_low_water after a write had returned 1. */
    void (*GALE_NULLABLE on_drain)(gale_tunnel_t *tunnel, void *GALE_NULLABLE data);
    /* The server stops, and waits shutdown_grace_ms at most: a chance to say farewell. */
    void (*GALE_NULLABLE on_stop)(gale_tunnel_t *tunnel, void *GALE_NULLABLE data);
    /* The tunnel is closed: exactly once, last of all. `status` is GALE_OK when both sides had
     * ended and all was handed to the system, else why not: GALE_EGONE, GALE_ETIMEDOUT,
     * GALE_ESHUTDOWN, GALE_ELIMIT, GALE_EABORTED, or the system's own error. */
    void (*GALE_NULLABLE on_close)(gale_tunnel_t *tunnel, int status, void *GALE_NULLABLE data);
} gale_tunnel_handler_t;

/* As gale_ws_handler_init. Any thread. Since 0.1. */
GALE_API void gale_tunnel_handler_init(gale_tunnel_handler_t *handler, size_t struct_size);
static inline gale_tunnel_handler_t gale_tunnel_handler(void) {
    gale_tunnel_handler_t h;
    gale_tunnel_handler_init(&h, sizeof h);
    return h;
}

/* Whether the request asks, in HTTP/1.1, with Connection: upgrade, for this protocol ("foo/2" as it
 * stands in Upgrade, without case). Loop. Since 0.1. */
GALE_API bool gale_req_wants_upgrade(const gale_req_t *req, gale_str_t protocol);
/* Makes a request a tunnel: answers 101 with Upgrade: `protocol`, one of those asked for; or,
 * with an empty protocol, 200 to a CONNECT. `headers` are added; none of Connection, Upgrade,
 * Content-Length and Transfer-Encoding. On success the request ends: its on_done comes with
 * GALE_EUPGRADED before this returns, and *out lives until on_close. Else nothing is sent and
 * the request can still be answered: GALE_EHANDSHAKE: neither a CONNECT nor such an Upgrade;
 * GALE_ESTATE: answered already, or its body has not wholly come, whose bytes could be taken for
 * the tunnel's; GALE_ESHUTDOWN; GALE_EHEADER; UV_ENOMEM. Who may tunnel, and where to, is the
 * caller's to decide: a CONNECT that is agreed to unchecked makes an open proxy. Loop. Since
 * 0.1. */
GALE_API int gale_tunnel_accept(gale_req_t *req, gale_str_t protocol,
                                const gale_tunnel_handler_t *handler, void *GALE_NULLABLE data,
                                const gale_header_t *GALE_NULLABLE headers, size_t count,
                                gale_tunnel_t *GALE_NULLABLE *GALE_NULLABLE out);

/* Sends bytes: 0, 1 above write_high_water (taken all the same; on_drain tells when to go on),
 * GALE_ESTATE after gale_tunnel_end, GALE_ELIMIT at write_limit (then cut). The first form copies
 * what cannot be sent at once, the second owns. What one callback writes goes out as it returns.
 * Loop. Since 0.1. */
GALE_API int gale_tunnel_write(gale_tunnel_t *tunnel, gale_str_t bytes);
GALE_API int gale_tunnel_write_buf(gale_tunnel_t *tunnel, gale_buf_t bytes);
/* Shuts down the sending side, behind what is queued; on_data goes on until the client ends too,
 * and then on_close comes. GALE_ESTATE the second time. Loop. Since 0.1. */
GALE_API int gale_tunnel_end(gale_tunnel_t *tunnel);
/* Cuts it; on_close: GALE_EABORTED. Loop. Since 0.1. */
GALE_API void gale_tunnel_abort(gale_tunnel_t *tunnel);
/* Stops and restarts on_data and on_end; what has arrived waits, then TCP pushes back. Loop.
 * Since 0.1. */
GALE_API void gale_tunnel_pause(gale_tunnel_t *tunnel);
GALE_API void gale_tunnel_resume(gale_tunnel_t *tunnel);
/* Bytes that wait to be taken by the system. Loop. Since 0.1. */
GALE_API size_t gale_tunnel_queued(const gale_tunnel_t *tunnel);
/* The user's pointer, that of gale_tunnel_accept at first. Loop. Since 0.1. */
GALE_API void gale_tunnel_set_data(gale_tunnel_t *tunnel, void *GALE_NULLABLE data);
GALE_API void *GALE_NULLABLE gale_tunnel_data(const gale_tunnel_t *tunnel);
/* A handle for other threads and later times. {0} when memory ran out, and in on_close. Loop.
 * Since 0.1. */
GALE_API gale_ref_t gale_tunnel_ref(gale_tunnel_t *tunnel);
/* Its worker. Loop. Since 0.1. */
GALE_API gale_worker_t *gale_tunnel_worker(const gale_tunnel_t *tunnel);

/* ----------------------------------------------------------------------------- in-memory client */

/* A client without a socket: its bytes go through the same parser, limits, timeouts and write path
 * as those of a connection. For tests and fuzzing, in C and beneath GaleTesting.  Loop.
 * Since 0.1. */
typedef struct {
    size_t struct_size; /* sizeof(gale_peer_handler_t) */
    /* The server sent bytes; they live until it returns. */
    void (*GALE_NULLABLE on_data)(gale_peer_t *peer, gale_str_t bytes, void *GALE_NULLABLE data);
    /* The server closed; the peer is freed when it returns. Exactly once. */
    void (*GALE_NULLABLE on_close)(gale_peer_t *peer, void *GALE_NULLABLE data);
    /* The server ended its side of a tunnel, as only a tunnel's can without closing. Null: the
     * client leaves then. */
    void (*GALE_NULLABLE on_end)(gale_peer_t *peer, void *GALE_NULLABLE data);
} gale_peer_handler_t;

/* Connects a client to the worker; *out lives until its on_close returns. The struct is copied,
 * data borrowed until then. Errors: GALE_ETHREAD, GALE_EVERSION, GALE_ESHUTDOWN, UV_ENOMEM. Loop.
 * Since 0.1. */
GALE_API int gale_peer_open(gale_worker_t *worker, const gale_peer_handler_t *handler,
                            void *GALE_NULLABLE data,
                            gale_peer_t *GALE_NULLABLE *GALE_NULLABLE out);
/* The client sends bytes: given to the server at once, copied where they must wait. Loop.
 * Since 0.1. */
GALE_API int gale_peer_send(gale_peer_t *peer, gale_str_t bytes);
/* The client takes no bytes until told to again: writes queue up as on a full socket. Loop.
 * Since 0.1. */
GALE_API void gale_peer_stall(gale_peer_t *peer, bool stalled);
/* The client shuts down its sending side. Loop. Since 0.1. */
GALE_API void gale_peer_shutdown(gale_peer_t *peer);
/* The client leaves; on_close follows. Loop. Since 0.1. */
GALE_API void gale_peer_close(gale_peer_t *peer);

GALE_NONNULL_END
#ifdef __cplusplus
}
#endif
#endif
