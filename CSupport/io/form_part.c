#include "form_part.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"
#include "str.h"

enum { FIRST = 256 };

/* Copies to *at, which moves behind it. */
static gale_str_t copy(char **at, gale_str_t s) {
    if (s.ptr == NULL) return s;
    gale_str_t copied = gale_str(*at, s.len);
    if (s.len > 0) memcpy(*at, s.ptr, s.len);
    *at += s.len;
    return copied;
}

gale_part_t *gale__part_new(const gale__part_head_t *head) {
    size_t text = head->name.len + head->filename.len;
    for (uint32_t i = 0; i < head->header_count; i++) {
        text += head->headers[i].name.len + head->headers[i].value.len;
    }
    gale_part_t *p = gale__calloc(1, sizeof *p + head->header_count * sizeof(gale_header_t) + text);
    if (p == NULL) return NULL;
    char *at = (char *)(p->headers + head->header_count);
    p->name = copy(&at, head->name);
    p->filename = copy(&at, head->filename);
    p->header_count = head->header_count;
    for (uint32_t i = 0; i < head->header_count; i++) {
        p->headers[i].name = copy(&at, head->headers[i].name);
        p->headers[i].value = copy(&at, head->headers[i].value);
        if (head->headers[i].value.ptr == head->content_type.ptr) p->type = p->headers[i].value;
    }
    if (head->content_type.ptr == NULL && gale__part_is_file(p)) {
        p->type = GALE__LIT("application/unknown"); /* HU-14 */
    }
    return p;
}

void gale__part_free(gale_part_t *p) {
    if (p == NULL) return;
    gale__spool_free(p->spool);
    gale__free(p->mem.bytes);
    gale__free(p);
}

bool gale__part_append(gale_part_t *p, gale_str_t bytes) {
    size_t need = p->mem.len + bytes.len, cap = p->mem.cap == 0 ? FIRST : p->mem.cap;
    while (cap < need) cap *= 2;
    if (cap != p->mem.cap) {
        char *mem = gale__realloc(p->mem.bytes, cap);
        if (mem == NULL) return false;
        p->mem.bytes = mem;
        p->mem.cap = cap;
    }
    memcpy(p->mem.bytes + p->mem.len, bytes.ptr, bytes.len);
    p->mem.len = need;
    return true;
}

int gale__part_take_fd(gale_part_t *p) {
    if (!p->ended || p->spool == NULL || p->spool->fd < 0) return UV_ENOENT;
    return gale__spool_take_fd(p->spool);
}

/* What is in memory is small, so that the loop can write it. */
static int save_memory(const gale_part_t *p, const char *path) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return uv_translate_sys_error(errno);
    size_t done = 0;
    int err = 0;
    while (err == 0 && done < p->mem.len) {
        ssize_t n = write(fd, p->mem.bytes + done, p->mem.len - done);
        if (n > 0) done += (size_t)n;
        if (n == 0 || (n < 0 && errno != EINTR))
            err = n < 0 ? uv_translate_sys_error(errno) : UV_EIO;
    }
    if (close(fd) < 0 && err == 0) err = uv_translate_sys_error(errno);
    if (err < 0) unlink(path);
    return err;
}

int gale__part_save(gale_part_t *p, const char *path) {
    if (!p->ended || p->fate != GALE_PART_KEEP) return GALE_ESTATE;
    if (p->spool == NULL) return save_memory(p, path);
    return p->spool->fd < 0 ? GALE_ESTATE : gale__spool_link(p->spool, path);
}
