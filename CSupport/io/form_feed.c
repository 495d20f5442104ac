/* Events of the parsers into parts: what is kept, where, and how much of it. */
#include "connection.h"
#include "form.h"
#include "mem.h"
#include "str.h"

enum { STEP = 65536, ROOM_FIRST = 1024 };

/* Nothing can go on for now, or ever. */
static bool stuck(const gale_form_t *f) {
    const gale_req_t *r = f->req;
    return f->over || f->paused || f->waits || r->done || r->conn->cut_due ||
           r->resp_state == GALE__RESP_ENDED;
}

static void no_memory(gale_form_t *f) {
    gale__form_fail(f, UV_ENOMEM, 500, "there is no memory for the form");
}

static void disk_failed(gale_form_t *f, int err) {
    gale__form_fail(f, err, 500, "the file could not be stored");
}

/* ---------------------------------------------------------------------------------------- parts */

static bool begin_part(gale_form_t *f, const gale__part_head_t *head) {
    gale_part_t *p = gale__part_new(head);
    if (p == NULL) {
        no_memory(f);
        return false;
    }
    p->form = f;
    f->part = p;
    if (f->handler.on_part != NULL) {
        int fate = f->handler.on_part(f, p, f->data);
        bool known = fate >= GALE_PART_KEEP && fate <= GALE_PART_SKIP;
        if (!known && !f->over)
            gale__form_fail(f, UV_EINVAL, 500, "what to do with a part was not said");
        p->fate = known ? (uint8_t)fate : GALE_PART_SKIP;
    }
    return !f->over;
}

static bool count_field(gale_form_t *f, size_t more) {
    f->field_bytes += more;
    if (f->field_bytes <= f->handler.max_field_bytes) return true;
    gale__form_fail(f, GALE_ELIMIT, 413, "the fields of the form are too large");
    return false;
}

/* The pool has done something: the rest happens as the connection is settled. */
static void on_spooled(void *arg) {
    gale_form_t *f = arg;
    gale_worker_t *before = gale__worker_enter(f->req->worker);
    f->due = true;
    gale__conn_touch(f->req->conn);
    gale__worker_leave(before);
}

static void no_room(gale_form_t *f, int err) {
    if (err == UV_ENOMEM) no_memory(f);
    if (err == GALE_ELIMIT) gale__form_fail(f, err, 503, "there is no room for the file");
}

/* Bytes of a file go to disk from now on, those in memory first. */
static bool to_disk(gale_form_t *f, gale_part_t *p) {
    p->spool = gale__spool_new(f->req->worker, f->folder, on_spooled, f);
    if (p->spool == NULL) {
        no_memory(f);
        return false;
    }
    gale_str_t had = gale_str(p->mem.bytes, p->mem.len);
    int err = gale__spool_add(p->spool, had);
    f->memory_bytes -= had.len;
    gale__free(p->mem.bytes);
    p->mem = (gale__gathered_t){0};
    no_room(f, err);
    return err == 0;
}

static void keep_file(gale_form_t *f, gale_part_t *p, gale_str_t bytes) {
    bool fits = f->memory_bytes + bytes.len <= f->handler.memory_bytes;
    if (p->spool == NULL && (!fits || f->handler.always_disk) && !to_disk(f, p)) return;
    if (p->spool == NULL) {
        f->memory_bytes += bytes.len;
        if (!gale__part_append(p, bytes)) no_memory(f);
        return;
    }
    int err = gale__spool_add(p->spool, bytes);
    no_room(f, err);
    f->waits = gale__spool_full(p->spool);
    if (!f->over && p->spool->err < 0) disk_failed(f, p->spool->err);
}

static void part_data(gale_form_t *f, gale_str_t bytes) {
    gale_part_t *p = f->part;
    p->size += bytes.len;
    if (p->fate == GALE_PART_SKIP) return;
    if (p->fate == GALE_PART_KEEP && gale__part_is_file(p)) {
        keep_file(f, p, bytes);
    } else if (p->fate == GALE_PART_KEEP) {
        if (!count_field(f, bytes.len)) return;
        if (!gale__part_append(p, bytes)) no_memory(f);
    }
    if (!f->over && f->handler.on_data != NULL) f->handler.on_data(f, p, bytes, f->data);
}

/* The part is complete, and stored. */
static void close_part(gale_form_t *f) {
    gale_part_t *p = f->part;
    f->part = NULL;
    p->ended = true;
    if (p->fate == GALE_PART_KEEP) {
        if (f->last != NULL) f->last->next = p;
        if (f->last == NULL) f->first = p;
        f->last = p;
    }
    if (f->handler.on_part_end != NULL) f->handler.on_part_end(f, p, f->data);
    if (p->fate != GALE_PART_KEEP) gale__part_free(p);
}

void gale__form_look_at_disk(gale_form_t *f) {
    gale__spool_t *s = f->part == NULL ? NULL : f->part->spool;
    if (s == NULL || f->over) return;
    if (s->err < 0) {
        disk_failed(f, s->err);
    } else if (!f->ending) {
        f->waits = gale__spool_full(s);
    } else if (gale__spool_settled(s)) {
        f->waits = f->ending = false;
        close_part(f);
    }
}

static void end_part(gale_form_t *f) {
    gale_part_t *p = f->part;
    bool file = p->fate == GALE_PART_KEEP && gale__part_is_file(p);
    if (file && p->spool == NULL && f->handler.always_disk && !to_disk(f, p)) return;
    if (p->spool == NULL) {
        close_part(f);
        return;
    }
    gale__spool_flush(p->spool);
    f->waits = f->ending = true;
    gale__form_look_at_disk(f);
}

/* ------------------------------------------------------------------------------------ multipart */

/* How long the part that begins may be. The parser holds it to that byte by byte, so that what is
 * given before the error doesn't depend on how the bytes came. */
static void limit_part(gale_form_t *f) {
    uint64_t *max = &f->parse.multipart.limits.max_part_bytes;
    const gale_part_t *p = f->part;
    *max = UINT64_MAX;
    if (gale__part_is_file(p)) {
        *max = f->handler.max_file_bytes;
    } else if (p->fate == GALE_PART_KEEP && count_field(f, p->name.len)) {
        *max = f->handler.max_field_bytes - f->field_bytes;
    }
}

static void multipart_event(gale_form_t *f, int event, gale_str_t data) {
    gale__multipart_t *m = &f->parse.multipart;
    switch (event) {
    case GALE__MULTIPART_PART:
        if (begin_part(f, &m->part)) limit_part(f);
        return;
    case GALE__MULTIPART_DATA:
        part_data(f, data);
        return;
    case GALE__MULTIPART_PART_END:
        end_part(f);
        return;
    case GALE__MULTIPART_ERROR:
        gale__form_fail(f, m->status == 413 ? GALE_ELIMIT : GALE_EPROTO, m->status, m->error);
    }
}

/* Whether there was an event. */
static bool multipart_step(gale_form_t *f, gale_str_t bytes, size_t *pos) {
    gale_str_t data;
    if (bytes.len - *pos > STEP) bytes.len = *pos + STEP; /* so that slices are small */
    int event = gale__multipart_next(&f->parse.multipart, bytes, pos, &data);
    if (event != GALE__MULTIPART_MORE) multipart_event(f, event, data);
    return event != GALE__MULTIPART_MORE;
}

/* ----------------------------------------------------------------------------------- urlencoded */

static void pair(gale_form_t *f, gale_str_t name, gale_str_t value) {
    gale__part_head_t head = {.name = name};
    if (!begin_part(f, &head)) return;
    if (f->part->fate == GALE_PART_KEEP && !count_field(f, name.len)) return;
    if (value.len > 0) part_data(f, value);
    if (!f->over) end_part(f);
}

static bool grow_room(gale_form_t *f) {
    gale__urlencoded_t *u = &f->parse.urlencoded;
    size_t max = f->handler.max_field_bytes, size = u->size == 0 ? ROOM_FIRST : u->size * 2;
    if (u->size == max) {
        gale__form_fail(f, GALE_ELIMIT, 413, "a field of the form is too large");
        return false;
    }
    if (size > max) size = max;
    char *room = gale__realloc(f->room, size);
    if (room == NULL) {
        no_memory(f);
        return false;
    }
    f->room = u->room = room;
    u->size = size;
    return true;
}

static bool urlencoded_step(gale_form_t *f, gale_str_t bytes, size_t *pos, bool last) {
    gale_str_t name, value;
    switch (gale__urlencoded_next(&f->parse.urlencoded, bytes, pos, last, &name, &value)) {
    case GALE__URLENCODED_PAIR:
        pair(f, name, value);
        return true;
    case GALE__URLENCODED_FULL:
        return grow_room(f);
    case GALE__URLENCODED_LIMIT:
        gale__form_fail(f, GALE_EPROTO, 400, "the form has too many fields");
        return false;
    default:
        return false;
    }
}

/* -------------------------------------------------------------------------------------- feeding */

static void end_form(gale_form_t *f) {
    gale__multipart_t *m = &f->parse.multipart;
    if (f->is_multipart && gale__multipart_finish(m) < 0) {
        multipart_event(f, GALE__MULTIPART_ERROR, gale_str(NULL, 0));
        return;
    }
    gale__form_over(f, GALE_OK);
}

void gale__form_feed(gale_form_t *f, gale_str_t bytes, size_t *pos, bool last) {
    while (!stuck(f)) {
        bool more =
            f->is_multipart ? multipart_step(f, bytes, pos) : urlencoded_step(f, bytes, pos, last);
        if (more || stuck(f) || *pos < bytes.len) continue;
        if (last) end_form(f);
        return;
    }
}
