#include "rig_form.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int part(gale_form_t *form, gale_part_t *p, void *data) {
    rig_form_t *t = data;
    gale_str_t name = gale_part_name(p), file = gale_part_filename(p), type = gale_part_type(p);
    t->parts++;
    CHECK(form == t->form && t->ends == 0);
    rig_text_addf(&t->log, "<%.*s|%.*s|%.*s>", (int)name.len, name.ptr, (int)file.len, file.ptr,
                  (int)type.len, type.ptr);
    if (t->on_part != NULL) t->on_part(t, p);
    return t->fate;
}

static void data(gale_form_t *form, gale_part_t *p, gale_str_t bytes, void *data) {
    rig_form_t *t = data;
    t->datas++;
    CHECK(form == t->form && bytes.len > 0 && t->ends == 0);
    rig_text_add(&t->log, bytes);
    if (t->on_data != NULL) t->on_data(t, p, bytes);
}

static void part_end(gale_form_t *form, gale_part_t *p, void *data) {
    rig_form_t *t = data;
    t->ended_parts++;
    CHECK(form == t->form && t->ends == 0);
    rig_text_addf(&t->log, "</>");
    if (t->on_part_end != NULL) t->on_part_end(t, p);
}

static void end(gale_form_t *form, int status, void *data) {
    rig_form_t *t = data;
    t->ends++;
    t->status = status;
    CHECK(form == t->form && gale_form_req(form) != NULL);
    snprintf(t->error, sizeof t->error, "%s", gale_form_error(form));
    if (status == GALE_OK) rig_text_addf(&t->log, ".");
    if (t->on_end != NULL) t->on_end(t, status);
    if (status == GALE_OK && !t->keep_quiet) {
        gale_respond_text(gale_form_req(form), 200, "thanks");
    }
}

/* The form is known to the test from its first callback on. */
static int first_part(gale_form_t *form, gale_part_t *p, void *arg) {
    ((rig_form_t *)arg)->form = form;
    return part(form, p, arg);
}

static void first_end(gale_form_t *form, int status, void *arg) {
    ((rig_form_t *)arg)->form = form;
    end(form, status, arg);
}

static void start(rig_t *rig, gale_req_t *req) {
    rig_form_t *t = rig->arg;
    gale_form_handler_t h = t->handler;
    t->ends = 0;
    t->reads++;
    h.on_part = first_part;
    h.on_data = data;
    h.on_part_end = part_end;
    h.on_end = first_end;
    t->result = gale_form_read(req, &h, t);
    memset(&h, 0x5a, sizeof h); /* it was copied */
    if (t->result > 0) gale_respond_text(req, t->result, "no form");
    if (t->result < 0) gale_resp_abort(req);
}

static void done(rig_t *rig, gale_req_t *req, int status) {
    rig_form_t *t = rig->arg;
    (void)req, (void)status;
    CHECK_EQ_UINT(t->ends, t->result == 0);
    t->form = NULL;
}

/* libuv opens a few for good, with the first loop of the process. */
static void warm_up(void) {
    uv_loop_t loop;
    CHECK_EQ_INT(uv_loop_init(&loop), 0);
    CHECK_EQ_INT(uv_loop_close(&loop), 0);
}

void rig_form_init(rig_form_t *t, bool streaming) {
    memset(t, 0, sizeof *t);
    warm_up();
    t->fds = rig_open_fds();
    snprintf(t->folder, sizeof t->folder, "/tmp/gale-form-XXXXXX");
    if (mkdtemp(t->folder) == NULL) abort();
    t->handler = gale_form_handler();
    t->handler.folder = t->folder;
    rig_init(&t->rig);
    rig_text_add(&t->log, gale_str("", 0));
    t->rig.request = start;
    t->rig.done = done;
    t->rig.streaming = streaming;
    t->rig.arg = t;
}

void rig_form_close(rig_form_t *t) {
    rig_close(&t->rig);
    rig_text_free(&t->log);
    CHECK_EQ_UINT(rig_form_files(t), 0);
    CHECK(rmdir(t->folder) == 0);
    CHECK_EQ_UINT(rig_open_fds(), t->fds);
}

unsigned rig_form_files(const rig_form_t *t) {
    unsigned count = 0;
    DIR *folder = opendir(t->folder);
    if (folder == NULL) return 0;
    for (struct dirent *e; (e = readdir(folder)) != NULL;) count += e->d_name[0] != '.';
    closedir(folder);
    return count;
}

gale_str_t rig_form_request(const char *type, gale_str_t body) {
    static rig_text_t text;
    rig_text_clear(&text);
    rig_text_addf(&text,
                  "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n",
                  type, body.len);
    rig_text_add(&text, body);
    return gale_str(text.text, text.len);
}

gale_str_t rig_form_multipart(const char *body) {
    return rig_form_request("multipart/form-data; boundary=1234", gale_cstr(body));
}

gale_str_t rig_form_ask(rig_form_t *t, rig_client_t *client, gale_str_t request) {
    rig_connect(&t->rig, client);
    rig_send_bytes(client, request.ptr, request.len);
    rig_turn(&t->rig, 3);
    return rig_take(client);
}
