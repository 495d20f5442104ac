/*
 * Files from a form, streamed to disk: however large they are, the server holds a few pieces of
 * 64 KiB, and a disk that is slow slows the client down.
 *
 * Without an on_part callback all parts are kept: fields in memory, files on disk.
 *
 *     cc upload.c $(pkg-config --cflags --libs gale) && ./a.out [PORT [FOLDER]]
 *     curl -F note=hello -F file=@big.iso http://127.0.0.1:8080/
 */
#include <errno.h>
#include <gale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "arguments.h"

static const char page[] = "<!doctype html><html lang=en><meta charset=utf-8><title>Upload</title>"
                           "<form method=post enctype=multipart/form-data>"
                           "<label>Note <input name=note></label> "
                           "<label>Files <input type=file name=file multiple></label> "
                           "<button>Send</button></form></html>\n";

enum {
    NAME_LENGTH = 255, /* what file systems take */
    PREFIX = 4,        /* "999-" */
    PATH_SIZE = 8192   /* more than systems take */
};

static gale_server_t *server;
static const char *folder = "."; /* where the files go */

/* Each MiB, how far it has come. The announced length includes the form around the files. */
static void on_data(gale_form_t *form, gale_part_t *part, gale_str_t bytes, void *data) {
    uint64_t now = gale_part_size(part), before = now - bytes.len;
    if (now >> 20 == before >> 20) return;
    printf("%llu MiB of a body of %lld bytes\n", (unsigned long long)now >> 20,
           (long long)gale_req_content_length(gale_form_req(form)));
    fflush(stdout);
}

/* Stores the file under a name that is safe, and free: "a.txt", "1-a.txt", "2-a.txt" ... */
static int store(gale_part_t *part, char path[PATH_SIZE]) {
    char name[NAME_LENGTH + 1];
    int len = gale_safe_filename(gale_part_filename(part), name, sizeof name);
    if (len < 0) return len;
    snprintf(path, PATH_SIZE, "%s/%s", folder, name);
    int status = gale_part_save(part, path);
    if (len > NAME_LENGTH - PREFIX) { /* cut, so that a prefix fits, before a whole character */
        for (len = NAME_LENGTH - PREFIX; (name[len] & 0xc0) == 0x80;) len--;
    }
    for (int i = 1; status < 0 && strcmp(gale_err_name(status), "EEXIST") == 0 && i < 1000; i++) {
        snprintf(path, PATH_SIZE, "%s/%d-%.*s", folder, i, len, name);
        status = gale_part_save(part, path);
    }
    return status;
}

/* The first file that cannot be stored ends it: what is left of the form is then read past. */
static void on_part_end(gale_form_t *form, gale_part_t *part, void *data) {
    char path[PATH_SIZE] = "", text[512];
    gale_str_t given = gale_part_filename(part);
    if (given.len == 0) return;
    int status = store(part, path);
    printf("%s: %s\n", path, status < 0 ? gale_strerror(status) : "stored");
    fflush(stdout);
    if (status >= 0) return;
    snprintf(text, sizeof text, "not stored, nor what comes after it: %.*s: %s\n",
             given.len < 200 ? (int)given.len : 200, given.ptr, gale_strerror(status));
    gale_respond_text(gale_form_req(form), 500, text);
}

/* What has come, as text. After an error there is nothing to answer: Gale says 400 or 413 itself,
 * on_part_end said 500, and what was not stored is gone. */
static void on_end(gale_form_t *form, int status, void *data) {
    char text[4096];
    size_t len = 0;
    if (status < 0) {
        printf("not complete: %s\n", gale_strerror(status));
        fflush(stdout);
        return;
    }
    for (gale_part_t *p = NULL; (p = gale_form_next(form, p)) != NULL && len < 3000;) {
        gale_str_t name = gale_part_name(p), file = gale_part_filename(p);
        len += (size_t)snprintf(text + len, sizeof text - len, "%.*s: %.*s%s%llu bytes\n",
                                name.len < 200 ? (int)name.len : 200, name.ptr,
                                file.len < 200 ? (int)file.len : 200, file.ptr,
                                file.len > 0 ? ", " : "", (unsigned long long)gale_part_size(p));
    }
    gale_header_t type = {gale_cstr("Content-Type"), gale_cstr("text/plain; charset=utf-8")};
    gale_respond(gale_form_req(form), 200, &type, 1, gale_str(text, len));
}

static void on_request(gale_req_t *req, void *data) {
    gale_str_t method = gale_req_method(req);
    if (method.len == 4 && memcmp(method.ptr, "POST", 4) == 0) {
        gale_form_handler_t form = gale_form_handler();
        form.max_bytes = 16ull << 30;
        form.always_disk = 1;
        form.folder = folder; /* the same file system: saving is naming, and copies nothing */
        form.on_data = on_data;
        form.on_part_end = on_part_end;
        form.on_end = on_end;
        int status = gale_form_read(req, &form, NULL);
        if (status != 0) gale_respond_text(req, status > 0 ? status : 500, "want a form\n");
    } else {
        gale_header_t type = {gale_cstr("Content-Type"), gale_cstr("text/html; charset=utf-8")};
        gale_respond(req, 200, &type, 1, gale_str(page, sizeof page - 1));
    }
}

/* Bodies are streamed because there is an on_body; those of forms go to the form. */
static void on_body(gale_req_t *req, gale_str_t chunk, bool last, void *data) {}

static void on_signal(int number) { gale_server_stop(server); }

/* Whether files can be put into the folder; says why not. */
static bool can_store(void) {
    char inside[PATH_SIZE];
    snprintf(inside, sizeof inside, "%s/.", folder); /* no file has that */
    if (access(inside, W_OK | X_OK) == 0) return true;
    fprintf(stderr, "upload: %s: %s\n", folder, strerror(errno));
    return false;
}

int main(int argc, char **argv) {
    take_words("upload", "usage: upload [PORT [FOLDER]]\n", argc, argv, 2);
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%s",
             take_port("upload", argc > 1 ? argv[1] : "8080"));
    if (argc > 2) folder = argv[2];
    if (!can_store()) return 1;

    gale_handler_t handler = gale_handler();
    handler.on_request = on_request;
    handler.on_body = on_body;
    if (gale_server_new(&server, NULL) < 0) return 1;
    gale_server_handle(server, &handler, NULL);
    if (gale_server_listen(server, url) < 0) {
        fprintf(stderr, "upload: %s\n", gale_server_errmsg(server));
        gale_server_free(server);
        return 1;
    }
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    printf("http://127.0.0.1:%d/ stores files in %s\n", gale_server_port(server, 0), folder);
    fflush(stdout);
    int status = gale_server_run(server);
    signal(SIGINT, SIG_IGN); /* there is nothing left to stop */
    signal(SIGTERM, SIG_IGN);
    gale_server_free(server);
    return status < 0;
}
