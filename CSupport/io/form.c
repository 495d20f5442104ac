#include "form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connection.h"
#include "header_params.h"
#include "http1.h"
#include "mem.h"
#include "server.h"
#include "str.h"

enum { MAX_HEADER_BYTES = 1 << 20 };

/* ----------------------------------------------------------------------------------------- life */

static void destroy(gale_form_t *f) {
    for (gale_part_t *p = f->first, *next; p != NULL; p = next) {
        next = p->next;
        gale__part_free(p);
    }
    gale__part_free(f->part);
    gale__free(f->room);
    gale__free(f->rest_mem);
    gale__free(f);
}

void gale__form_free(gale_form_t *f) {
    f->freed = true;
    if (f->depth == 0) destroy(f);
}

/* Callbacks may end the request, and with it the form, that is still on the stack. */
static void enter(gale_form_t *f) {
    f->depth++;
    f->req->conn->depth++;
}

static void leave(gale_form_t *f) {
    gale__conn_t *c = f->req->conn;
    c->depth--;
    gale__conn_touch(c);
    f->depth--;
    if (f->freed && f->depth == 0) destroy(f);
}

void gale__form_over(gale_form_t *f, int status) {
    if (f->over) return;
    f->over = true;
    enter(f);
    f->handler.on_end(f, status, f->data);
    leave(f);
}

/* One answer, however many things are wrong (HU-16). */
static void answer(gale_req_t *r, int status, const char *error) {
    char text[200];
    gale_header_t type = {GALE__LIT("Content-Type"), GALE__LIT("text/plain; charset=utf-8")};
    if (r->done || r->conn->cut_due || r->resp_state != GALE__RESP_NONE) return;
    snprintf(text, sizeof text, "%d %s: %s\n", status, gale__reason(status), error);
    int err = gale__exchange_respond(r, status, &type, 1, gale_cstr(text));
    if (err < 0) gale__conn_cut(r->conn, err);
}

void gale__form_fail(gale_form_t *f, int err, int status, const char *error) {
    if (f->over) return;
    enter(f);
    f->error = error;
    f->status = status;
    gale__form_over(f, err);
    if (f->handler.leave_answer == 0) answer(f->req, status, error);
    leave(f);
}

/* ------------------------------------------------------------------------------------ the body */

/* http1 stops and starts as the form does; one that is over wants the rest to pass by. */
static void settle_pause(gale_form_t *f) {
    gale_req_t *r = f->req;
    bool pause = (f->paused || f->waits) && !f->over;
    if (r->body_mode != GALE__BODY_STREAM || r->done || pause == r->conn->paused) return;
    if (pause) {
        r->conn->paused = true;
    } else {
        gale__http1_resume(r);
    }
}

/* Keeps what could not be looked at. */
static bool hold(gale_form_t *f, gale_str_t bytes) {
    size_t need = f->rest.len + bytes.len;
    if (bytes.len == 0) return true;
    if (f->rest.len > 0) memmove(f->rest_mem, f->rest.ptr, f->rest.len);
    if (need > f->rest_cap) {
        char *mem = gale__realloc(f->rest_mem, need);
        if (mem == NULL) return false;
        f->rest_mem = mem;
        f->rest_cap = need;
    }
    memcpy(f->rest_mem + f->rest.len, bytes.ptr, bytes.len);
    f->rest = gale_str(f->rest_mem, need);
    return true;
}

void gale__form_body(gale_form_t *f, gale_str_t bytes, bool last) {
    size_t pos = 0;
    if (last) f->last_seen = true;
    if (f->over) return;
    enter(f);
    if (f->rest.len == 0) gale__form_feed(f, bytes, &pos, last);
    if (!f->over && !hold(f, gale_str(bytes.ptr + pos, bytes.len - pos))) {
        gale__form_fail(f, UV_ENOMEM, 500, "there is no memory for the form");
    }
    settle_pause(f);
    leave(f);
}

/* Feeds what waits. */
static void feed_rest(gale_form_t *f) {
    size_t pos = 0;
    gale_str_t bytes = f->rest;
    gale__form_feed(f, bytes, &pos, f->last_seen);
    f->rest = pos < bytes.len ? gale_str(bytes.ptr + pos, bytes.len - pos) : gale_str(NULL, 0);
    if (f->rest.len == 0) {
        gale__free(f->rest_mem);
        f->rest_mem = NULL;
        f->rest_cap = 0;
    }
}

void gale__form_go_on(gale_form_t *f) {
    if (!f->due || f->depth > 0) return;
    f->due = false;
    if (f->over) return;
    enter(f);
    gale__form_look_at_disk(f);
    feed_rest(f);
    settle_pause(f);
    leave(f);
}

void gale__form_pause(gale_form_t *f, bool pause) {
    if (f->over) return;
    f->paused = pause;
    f->due = true;
    if (pause && f->depth == 0) settle_pause(f);
    gale__conn_touch(f->req->conn);
}

/* -------------------------------------------------------------------------------------- reading */

/* The one Content-Type; false when there are several. */
static bool content_type(const gale_req_t *r, gale_str_t *type) {
    *type = gale_str(NULL, 0);
    for (uint32_t i = 0; i < r->head.header_count; i++) {
        if (!gale__eq_nocase(r->headers[i].name, GALE__LIT("Content-Type"))) continue;
        if (type->ptr != NULL) return false;
        *type = r->headers[i].value;
    }
    return true;
}

static bool has_header(const gale_req_t *r, gale_str_t name) {
    for (uint32_t i = 0; i < r->head.header_count; i++) {
        if (gale__eq_nocase(r->headers[i].name, name)) return true;
    }
    return false;
}

/* What the body is: 0, or the status to answer with (HU-11, HU-12). An empty boundary: not
 * multipart. */
static int form_type(const gale_req_t *r, char boundary[GALE__BOUNDARY_MAX], size_t *boundary_len) {
    gale_str_t type, rest, main;
    *boundary_len = 0;
    if (!content_type(r, &type)) return 400;
    rest = type;
    if (type.ptr == NULL) return 415;
    if (!gale__params_begin(&rest, &main)) return 400;
    bool multipart = gale__eq_nocase(main, GALE__LIT("multipart/form-data"));
    if (!multipart && !gale__eq_nocase(main, GALE__LIT("application/x-www-form-urlencoded"))) {
        return 415;
    }
    if (has_header(r, GALE__LIT("Content-Encoding"))) return 400;
    if (!multipart) return 0;
    int len = gale__param_get(type, GALE__LIT("boundary"), GALE__PARAM_FORM, boundary,
                              GALE__BOUNDARY_MAX);
    if (len < 0 || !gale__is_boundary(gale_str(boundary, (size_t)len))) return 400;
    *boundary_len = (size_t)len;
    return 0;
}

static void or_default(uint32_t *value, uint32_t fallback) {
    if (*value == 0) *value = fallback;
}

static void set_defaults(gale_form_handler_t *h) {
    if (h->max_file_bytes == 0) h->max_file_bytes = UINT64_MAX;
    or_default(&h->max_field_bytes, 1 << 20);
    or_default(&h->max_parts, 100);
    or_default(&h->max_fields, GALE__MAX_FIELDS);
    or_default(&h->max_part_header_bytes, GALE__PART_HEADER_BYTES);
    or_default(&h->memory_bytes, 65536);
    if (h->folder == NULL || *h->folder == '\0') h->folder = getenv("TMPDIR");
    if (h->folder == NULL || *h->folder == '\0') h->folder = "/tmp";
}

static gale_form_t *make(gale_req_t *r, const gale_form_handler_t *handler, void *data) {
    gale_form_handler_t h = *handler;
    set_defaults(&h);
    size_t folder = strlen(h.folder) + 1;
    gale_form_t *f = gale__calloc(1, sizeof *f + folder);
    if (f == NULL) return NULL;
    f->req = r;
    f->handler = h;
    f->data = data;
    f->error = "";
    f->folder = memcpy(f + 1, h.folder, folder);
    return f;
}

static bool begin_multipart(gale_form_t *f, gale_str_t boundary) {
    gale__multipart_limits_t limits = {
        .max_parts = f->handler.max_parts,
        .max_header_bytes = f->handler.max_part_header_bytes,
        .max_headers = GALE__PART_HEADERS,
        .max_part_bytes = UINT64_MAX,
        .max_bytes = UINT64_MAX, /* the request's limit holds */
    };
    f->is_multipart = true;
    f->room = gale__malloc(gale__multipart_room(&limits));
    if (f->room == NULL) return false;
    gale__multipart_init(&f->parse.multipart, &limits, boundary, f->room);
    return true;
}

int gale__form_read(gale_req_t *r, const gale_form_handler_t *handler, void *data) {
    char boundary[GALE__BOUNDARY_MAX];
    size_t boundary_len;
    bool streamed = r->body_mode == GALE__BODY_STREAM && r->in_request;
    bool whole = r->body_mode == GALE__BODY_WHOLE;
    bool begun = r->resp_state != GALE__RESP_NONE, late = whole && handler->leave_answer != 0;
    if (r->form != NULL || r->done || (!streamed && !whole)) return GALE_ESTATE;
    if (begun && (!late || r->resp_state == GALE__RESP_ENDED)) return GALE_ESTATE;
    if (handler->on_end == NULL || handler->max_part_header_bytes > MAX_HEADER_BYTES) {
        return UV_EINVAL;
    }
    int status = form_type(r, boundary, &boundary_len);
    if (status != 0) return status;
    gale_form_t *f = make(r, handler, data);
    if (f == NULL) return UV_ENOMEM;
    if (boundary_len == 0) {
        gale__urlencoded_init(&f->parse.urlencoded, NULL, 0, f->handler.max_fields);
    } else if (!begin_multipart(f, gale_str(boundary, boundary_len))) {
        destroy(f);
        return UV_ENOMEM;
    }
    r->form = f;
    if (streamed) {
        if (handler->max_bytes != 0) r->max_body = handler->max_bytes;
        return 0;
    }
    f->rest = r->body;
    f->last_seen = f->due = true;
    gale__form_go_on(f);
    return 0;
}
