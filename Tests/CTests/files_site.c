#include "files_site.h"

site_reply_t reply;

static void on_request(gale_req_t *req, void *data) {
    site_t *site = data;
    gale_str_t path = gale_req_path(req);
    size_t prefix = strlen("/s/");
    path = path.len >= prefix && memcmp(path.ptr, "/s/", prefix) == 0
               ? gale_str(path.ptr + prefix, path.len - prefix)
               : gale_str(path.ptr + 1, path.len - 1);
    site->result = gale_files_serve(site->files, req, path, site->own, site->own_count);
    if (site->result != GALE_OK)
        gale_respond(req, site->result > 0 ? site->result : 500, NULL, 0, gale_str(NULL, 0));
}

static void on_data(gale_peer_t *peer, gale_str_t bytes, void *data) {
    (void)peer, (void)data;
    if (bytes.len > sizeof reply.text - 1 - reply.len) abort();
    memcpy(reply.text + reply.len, bytes.ptr, bytes.len);
    reply.len += bytes.len;
    reply.text[reply.len] = '\0';
}

static void on_close(gale_peer_t *peer, void *data) {
    (void)peer, (void)data;
    reply.closed = true;
}

void path_in(const site_t *site, const char *name, char out[256]) {
    snprintf(out, 256, "%s/%s", site->dir, name);
}

void put_file(const site_t *site, const char *name, const char *bytes, size_t len) {
    char path[256];
    path_in(site, name, path);
    FILE *f = fopen(path, "wb");
    if (f == NULL || fwrite(bytes, 1, len, f) != len || fclose(f) != 0) abort();
    struct timespec times[2] = {{MTIME, 0}, {MTIME, 123456789}};
    if (utimensat(AT_FDCWD, path, times, 0) != 0) abort();
}

void put_folder(const site_t *site, const char *name) {
    char path[256];
    path_in(site, name, path);
    if (mkdir(path, 0755) != 0) abort();
}

void put_link(const site_t *site, const char *name, const char *to) {
    char path[256];
    path_in(site, name, path);
    if (symlink(to, path) != 0) abort();
}

static size_t count_fds(void) {
    size_t n = 0;
    for (int fd = 0; fd < 256; fd++) n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static bool fill(site_t *site) {
    char *large = malloc(LARGE);
    if (large == NULL) return false;
    for (size_t i = 0; i < LARGE; i++) large[i] = (char)('a' + i % 23);
    put_file(site, "hello.txt", "hello", 5);
    put_file(site, "empty.css", "", 0);
    put_file(site, "large.bin", large, LARGE);
    put_file(site, "edge.js", large, 16384);
    put_file(site, "over.js", large, 16385);
    put_file(site, "a b\xc3\xa9.html", "<p>", 3);
    put_file(site, ".env", "secret", 6);
    put_folder(site, "docs");
    put_file(site, "docs/index.html", "<h1>docs</h1>", 13);
    put_file(site, "docs/page.html", "page", 4);
    put_folder(site, "bare");
    put_folder(site, "odd");
    put_folder(site, "odd/index.html");
    put_link(site, "out", "/etc/passwd");
    put_link(site, "up", "../..");
    put_link(site, "loop", "loop");
    put_link(site, "in", "hello.txt");
    put_link(site, "docs2", "docs");
    char path[256];
    path_in(site, "fifo", path);
    if (mkfifo(path, 0644) != 0) abort();
    free(large);
    return true;
}

bool site_begin(site_t *site, const gale_files_config_t *files) {
    return site_begin_with(site, files, on_request);
}

bool site_begin_with(site_t *site, const gale_files_config_t *files,
                     void (*request)(gale_req_t *req, void *data)) {
    memset(site, 0, sizeof *site);
    snprintf(site->dir, sizeof site->dir, "/tmp/gale-files-XXXXXX");
    /* libuv opens a pipe for signals with its first loop and keeps it. */
    if (uv_loop_init(&site->loop) != 0 || uv_loop_close(&site->loop) != 0) return false;
    site->open_fds = count_fds();
    if (mkdtemp(site->dir) == NULL || !fill(site) || uv_loop_init(&site->loop) != 0) return false;
    gale_config_t config = gale_config();
    config.workers = 1;
    gale_handler_t handler = gale_handler();
    handler.on_request = request;
    return gale_files_open_with(&site->files, site->dir, files) == 0 &&
           gale_server_new(&site->server, &config) == 0 &&
           gale_server_handle(site->server, &handler, site) == 0 &&
           gale_server_attach(site->server, &site->loop) == 0;
}

void site_end(site_t *site) {
    char command[128];
    gale_server_stop(site->server);
    uv_run(&site->loop, UV_RUN_DEFAULT);
    gale_server_free(site->server);
    gale_files_free(site->files);
    uv_run(&site->loop, UV_RUN_DEFAULT);
    CHECK_EQ_INT(uv_loop_close(&site->loop), 0);
    CHECK_EQ_UINT(count_fds(), site->open_fds); /* nothing that was opened stays open */
    snprintf(command, sizeof command, "rm -rf '%s'", site->dir);
    CHECK_EQ_INT(system(command), 0);
}

int ask(site_t *site, const char *method, const char *target, const char *extra) {
    char text[8192];
    gale_peer_handler_t handler = {
        .struct_size = sizeof handler, .on_data = on_data, .on_close = on_close};
    gale_peer_t *peer;
    int len =
        snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n",
                 method, target, extra);
    memset(&reply, 0, sizeof reply);
    if (gale_peer_open(gale_server_worker(site->server, 0), &handler, NULL, &peer) != 0) return -1;
    gale_peer_send(peer, gale_str(text, (size_t)len));
    while (!reply.closed) uv_run(&site->loop, UV_RUN_ONCE);
    return strncmp(reply.text, "HTTP/1.1 ", 9) == 0 ? atoi(reply.text + 9) : -1;
}

gale_str_t field(const char *name) {
    char start[64];
    snprintf(start, sizeof start, "\r\n%s: ", name);
    const char *at = strstr(reply.text, start);
    if (at == NULL) return gale_str(NULL, 0);
    at += strlen(start);
    return gale_str(at, (size_t)(strstr(at, "\r\n") - at));
}

gale_str_t content(void) {
    const char *at = strstr(reply.text, "\r\n\r\n");
    if (at == NULL) return gale_str(NULL, 0);
    return gale_str(at + 4, reply.len - (size_t)(at + 4 - reply.text));
}

bool absent(const char *name) {
    return field(name).ptr == NULL;
}
