/* gale_form_*, gale_part_*. */
#include "../io/form.h"

#include "config.h"
#include "str.h"

int gale_form_read(gale_req_t *r, const gale_form_handler_t *handler, void *data) {
    if (!gale__on_loop(r->worker)) return GALE_ETHREAD;
    gale_form_handler_t taken = {0};
    size_t smallest = offsetof(gale_form_handler_t, on_end) + sizeof taken.on_end;
    int err = gale__struct_take(&taken, sizeof taken, handler, smallest);
    return err < 0 ? err : gale__form_read(r, &taken, data);
}

gale_req_t *gale_form_req(const gale_form_t *f) {
    return f->req;
}

const char *gale_form_error(const gale_form_t *f) {
    return f->error;
}

int gale_form_status(const gale_form_t *f) {
    return f->status;
}

gale_part_t *gale_form_next(const gale_form_t *f, const gale_part_t *p) {
    return p == NULL ? f->first : p->next;
}

/* The last kept part of this name and kind. */
static gale_part_t *find(const gale_form_t *f, gale_str_t name, bool file) {
    gale_part_t *found = NULL;
    if (name.ptr == NULL && name.len > 0) return NULL;
    for (gale_part_t *p = f->first; p != NULL; p = p->next) {
        if (gale__part_is_file(p) == file && gale__eq(p->name, name)) found = p;
    }
    return found;
}

gale_str_t gale_form_value(const gale_form_t *f, gale_str_t name) {
    const gale_part_t *p = find(f, name, false);
    return p == NULL ? gale_str(NULL, 0) : gale_part_bytes(p);
}

gale_part_t *gale_form_file(const gale_form_t *f, gale_str_t name) {
    return find(f, name, true);
}

/* ---------------------------------------------------------------------------------------- parts */

gale_str_t gale_part_name(const gale_part_t *p) {
    return p->name;
}
gale_str_t gale_part_filename(const gale_part_t *p) {
    return p->filename;
}
gale_str_t gale_part_type(const gale_part_t *p) {
    return p->type;
}
uint64_t gale_part_size(const gale_part_t *p) {
    return p->size;
}

gale_str_t gale_part_header(const gale_part_t *p, gale_str_t name) {
    if (name.ptr == NULL) return gale_str(NULL, 0);
    for (uint32_t i = 0; i < p->header_count; i++) {
        if (gale__eq_nocase(p->headers[i].name, name)) return p->headers[i].value;
    }
    return gale_str(NULL, 0);
}

gale_str_t gale_part_bytes(const gale_part_t *p) {
    if (p->fate != GALE_PART_KEEP || p->spool != NULL) return gale_str(NULL, 0);
    return p->mem.bytes == NULL ? gale_str("", 0) : gale_str(p->mem.bytes, p->mem.len);
}

int gale_part_fd(const gale_part_t *p) {
    return p->ended && p->spool != NULL ? p->spool->fd : -1;
}

int gale_part_take_fd(gale_part_t *p) {
    return gale__on_loop(p->form->req->worker) ? gale__part_take_fd(p) : GALE_ETHREAD;
}

int gale_part_save(gale_part_t *p, const char *path) {
    return gale__on_loop(p->form->req->worker) ? gale__part_save(p, path) : GALE_ETHREAD;
}
