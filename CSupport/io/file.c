/*
 * Files as response bodies, in one of two ways, chosen anew for each window of the file.
 *
 * sendfile, on the loop: no copy, no thread. It would wait for a disk, though, and all other clients
 * of the worker with it; so it is used only for a window that the kernel says it has in memory.
 * When the socket is full, a poll on a second descriptor of it tells when to go on; a socket that is
 * never full gets one window a turn of the loop.
 *
 * A read in libuv's thread pool, one piece ahead of the socket: what is not in memory, systems and
 * transports without sendfile. The read makes the kernel read ahead, so that a file that lies on a
 * disk in one piece soon goes by sendfile again. Handing sendfile itself to the pool would save the
 * copy, but costs a change of threads for each window of the files that are nearly always served,
 * those in memory, and leaves a thread writing to a socket that the loop may close.
 */
#include "file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "connection.h"
#include "file_read.h"
#include "files_cache.h"
#include "mem.h"
#include "server.h"

enum {
    SMALL = 16 * 1024,   /* up to here a copy is cheaper than sendfile */
    PIECE = 65536,       /* read at once; of what is coded only GALE__CODING_PIECE */
    WINDOW = 256 * 1024, /* sent at once, and in one turn of the loop */
    PROBE = 128 * 1024   /* the kernel reads ahead at least so much, and drops it together */
};

struct gale__file_send {
    gale_req_t *req; /* null when the request ended first */
    gale_worker_t *worker;
    int fd, sock;  /* sock: the socket again, for `poll`; -1: none */
    uint8_t holds; /* of the request, the read, the poll */
    bool reading, polling;
    bool by_reads; /* sendfile is out of the question */
    bool corked;
    uint64_t left;
    uint64_t looked; /* up to here the file was in memory, at the last look */
    char *piece, *text;
    gale__files_entry_t *fresh; /* a small file is read into it in one piece, and kept */
    uv_fs_t fs;
    uv_poll_t poll;
    size_t part, count;
    gale__file_part_t parts[];
};

static void let_go(gale__file_send_t *f) {
    if (--f->holds > 0) return;
    close(f->fd);
    gale__free(f->piece);
    gale__free(f->text);
    if (f->fresh != NULL) gale__files_discard(f->fresh);
    gale__free(f);
}

/* The text and the file's bytes of the next part that has any; null when all is sent. */
static gale__file_part_t *next_part(gale__file_send_t *f) {
    while (f->part < f->count) {
        gale__file_part_t *p = &f->parts[f->part];
        if (p->before.len > 0 || p->length > 0) return p;
        f->part++;
    }
    return NULL;
}

static void took(gale__file_send_t *f, uint64_t n) {
    gale__file_part_t *p = &f->parts[f->part];
    p->offset += n;
    p->length -= n;
    f->left -= n;
}

/* Corks the text before the next bytes of the file. Those bytes' part, null at the end or on
 * error. */
static gale__file_part_t *write_text(gale__file_send_t *f) {
    gale__file_part_t *p;
    while ((p = next_part(f)) != NULL && p->before.len > 0) {
        gale_str_t text = p->before;
        p->before.len = 0;
        if (gale__exchange_write(f->req, text) < 0) return NULL;
    }
    return p;
}

static bool finish(gale_req_t *r) {
    gale__file_cancel(r);
    r->want_drain = false; /* nobody but this file was told to wait */
    return gale__exchange_end(r, NULL, 0) == 0;
}

uint64_t gale__file_left(const gale_req_t *r) {
    return r->file->left;
}

bool gale__file_waits(const gale_req_t *r) {
    return r->file->polling;
}

/* ------------------------------------------------------------------------------ by the socket */

static void on_poll_closed(uv_handle_t *h) {
    gale__file_send_t *f = h->data;
    gale_worker_t *w = f->worker;
    let_go(f);
    w->open_handles--;
    gale__worker_check_stopped(w);
}

static void on_writable(uv_poll_t *poll, int status, int events) {
    (void)status, (void)events; /* an error shows when more is sent */
    gale__file_send_t *f = poll->data;
    gale_worker_t *before = gale__worker_enter(f->worker);
    f->polling = false;
    gale__conn_settle(f->req->conn);
    gale__worker_leave(before);
}

static void stop_polling(gale__file_send_t *f) {
    if (f->sock >= 0) uv_poll_stop(&f->poll);
    f->polling = false;
}

/* Waits until the socket takes more. The stream's own watcher cannot be asked, so a duplicate of its
 * descriptor is; it stays until the file is sent, since the poll tells again for as long as there is
 * room. */
static bool poll_socket(gale__file_send_t *f) {
    gale__conn_t *c = f->req->conn;
    if (f->sock < 0) {
        f->sock = fcntl(c->transport->descriptor(c), F_DUPFD_CLOEXEC, 0);
        if (f->sock < 0) return false;
        if (uv_poll_init(f->worker->loop, &f->poll, f->sock) < 0) {
            close(f->sock);
            f->sock = -1;
            return false;
        }
        f->poll.data = f;
        f->holds++;
        f->worker->open_handles++;
    }
    bool active = uv_is_active((uv_handle_t *)&f->poll);
    f->polling = active || uv_poll_start(&f->poll, UV_WRITABLE, on_writable) == 0;
    return f->polling;
}

/* Whether sending these bytes needs no disk; a byte here and there tells for its neighbours, among
 * them the last one of the window before. */
static bool in_memory(gale__file_send_t *f, uint64_t offset, uint64_t len) {
    char byte;
    uint64_t last = offset + len - 1, at = offset;
    if (offset > 0 && offset == f->looked) at = len > PROBE ? offset - 1 + PROBE : last;
    for (;; at = last - at > PROBE ? at + PROBE : last) {
        long n = gale__read_now(f->fd, &byte, 1, at);
        if (n == UV_ENOTSUP) f->by_reads = true; /* nor will it be told of the rest */
        if (n < 0) return false;
        if (n == 0 || at == last) break; /* behind the end there is nothing to wait for */
    }
    f->looked = offset + len;
    return true;
}

/* Sends one window. The bytes sent, 0 when the rest must wait or go another way; < 0: cut. */
static long send_window(gale__file_send_t *f, const gale__file_part_t *p, uint64_t room) {
    gale_req_t *r = f->req;
    uint64_t len = p->length < room ? p->length : room;
    if (!in_memory(f, p->offset, len)) {
        stop_polling(f);
        return 0;
    }
    if (!f->corked && f->left > len) { /* or each window would end in a packet of a few bytes */
        f->corked = true;
        r->conn->transport->cork(r->conn, true);
    }
    long n = gale__conn_send_file(r->conn, f->fd, p->offset, (size_t)len);
    if (n == UV_EAGAIN) {
        if (r->conn->backlogs > 0) {
            stop_polling(f); /* the stream tells when that is gone */
        } else if (!poll_socket(f)) {
            f->by_reads = true;
        }
        return 0;
    }
    if (n == UV_EINVAL || n == UV_ENOSYS || n == UV_ENOTSUP) { /* not from this file system */
        f->by_reads = true;
        stop_polling(f);
        return 0;
    }
    if (n > 0) return n;
    /* 0: the file shrank. The length was promised: the client must see that it is not kept. */
    gale__conn_cut(r->conn, n == 0 ? GALE_ELENGTH : n == UV_EIO ? UV_EIO : GALE_EGONE);
    return -1;
}

bool gale__file_push(gale_req_t *r) {
    gale__file_send_t *f = r->file;
    gale__conn_t *c = r->conn;
    if (f->reading || f->polling || f->by_reads || c->backlogs > 0) return false;
    for (uint64_t room = WINDOW; room > 0;) {
        const gale__file_part_t *p = write_text(f);
        if (c->cut_due) return false;
        if (p == NULL) return finish(r);
        uint64_t want = p->length < room ? p->length : room;
        long n = send_window(f, p, room);
        if (n <= 0) return false;
        took(f, (uint64_t)n);
        r->resp_left -= (uint64_t)n;
        room -= (uint64_t)n;
        if ((uint64_t)n < want) { /* full, or the file has ended: then the poll tells at once */
            if (!poll_socket(f)) f->by_reads = true;
            return false;
        }
    }
    if (next_part(f) == NULL) return finish(r);
    /* It may go on taking for ever; the others come first. */
    if (f->sock < 0 || !poll_socket(f)) gale__worker_mark_later(f->worker, c);
    return false;
}

/* ------------------------------------------------------------------------------------- by reads */

static void take_piece(gale__file_send_t *f, ssize_t n) {
    gale_req_t *r = f->req;
    if (n <= 0) { /* it shrank, or the disk failed */
        gale__conn_cut(r->conn, n == 0 ? GALE_ELENGTH : (int)n);
        return;
    }
    gale_buf_t piece = {f->piece, (size_t)n, gale__free, f->piece};
    f->piece = NULL;
    if (f->fresh != NULL) {
        piece = gale__content_buf(f->fresh->content, 0, (size_t)n);
        if ((uint64_t)n == f->left)
            gale__files_insert(f->worker, f->fresh);
        else
            gale__files_discard(f->fresh);
        f->fresh = NULL;
    }
    took(f, (uint64_t)n);
    if (gale__exchange_write_buf(r, piece) < 0) return; /* on_done cleans up */
    if (f->left == 0 && write_text(f) == NULL && !r->conn->cut_due) {
        finish(r);
    } else {
        gale__conn_touch(r->conn); /* settling asks for more when there is room */
    }
}

static void on_piece(uv_fs_t *fs) {
    gale__file_send_t *f = fs->data;
    ssize_t n = fs->result;
    uv_fs_req_cleanup(fs);
    f->reading = false;
    if (f->req != NULL) {
        gale_worker_t *before = gale__worker_enter(f->worker);
        take_piece(f, n);
        gale__worker_leave(before);
    }
    let_go(f);
}

void gale__file_drain(gale_req_t *r) {
    gale__file_send_t *f = r->file;
    if (f->reading || f->polling || r->conn->cut_due || r->conn->dirty) return;
    const gale__file_part_t *p = write_text(f);
    if (p == NULL) {
        if (!r->conn->cut_due) finish(r);
        return;
    }
    char *room = f->fresh != NULL ? f->fresh->content->bytes : f->piece;
    if (room == NULL && (room = f->piece = gale__malloc(PIECE)) == NULL) {
        gale__conn_cut(r->conn, UV_ENOMEM);
        return;
    }
    uint64_t most = r->encoder != NULL && f->fresh == NULL ? GALE__CODING_PIECE : PIECE;
    if (r->encoder != NULL && !gale__coding_may(r)) return;
    uv_buf_t buf = uv_buf_init(room, (unsigned)(p->length < most ? p->length : most));
    if (r->encoder != NULL) { /* the piece is coded as soon as it is there */
        gale__coding_encoded(r->worker, r->encoder->coding, r->encoder->level, buf.len);
    }
    f->fs.data = f;
    int err = uv_fs_read(f->worker->loop, &f->fs, f->fd, &buf, 1, (int64_t)p->offset, on_piece);
    if (err < 0) {
        gale__conn_cut(r->conn, err);
        return;
    }
    f->reading = true;
    f->holds++;
}

/* ----------------------------------------------------------------------------------------- life */

void gale__file_cancel(gale_req_t *r) {
    gale__file_send_t *f = r->file;
    r->file = NULL;
    f->req = NULL;
    if (f->corked) r->conn->transport->cork(r->conn, false);
    if (f->sock >= 0) {
        uv_close((uv_handle_t *)&f->poll, on_poll_closed);
        close(f->sock);
        f->sock = -1;
    }
    let_go(f);
}

static gale__file_send_t *new_send(gale_req_t *r, int fd, const gale__file_part_t *parts,
                                   size_t count, char *text) {
    gale__file_send_t *f = gale__malloc(sizeof *f + count * sizeof *parts);
    if (f == NULL) return NULL;
    memset(f, 0, sizeof *f);
    f->req = r;
    f->worker = r->worker;
    f->fd = fd;
    f->sock = -1;
    f->holds = 1;
    f->by_reads = r->conn->transport->send_file == NULL;
    f->text = text;
    f->count = count;
    memcpy(f->parts, parts, count * sizeof *parts);
    for (size_t i = 0; i < count; i++) f->left += parts[i].length;
    return f;
}

/* A few pages that the system has in memory go with the head in one write. False: they don't. */
static bool send_small(gale_req_t *r, int status, const gale_header_t *h, size_t n, int fd,
                       const gale__file_part_t *p, int *result) {
    char content[SMALL];
    size_t len = (size_t)p->length;
    if (p->length == 0 || p->length > SMALL || p->before.len > 0 ||
        !gale__exchange_sends_body(r, status) ||
        gale__read_now(fd, content, len, p->offset) != (long)len)
        return false;
    *result = gale__exchange_respond(r, status, h, n, gale_str(content, len));
    return true;
}

int gale__file_send(gale_req_t *r, int status, const gale_header_t *h, size_t n, int fd,
                    const gale__file_part_t *parts, size_t count, char *text,
                    const gale__file_keep_t *keep) {
    uint64_t length = 0;
    int result;
    if (count == 1 && send_small(r, status, h, n, fd, parts, &result)) {
        close(fd);
        gale__free(text);
        return result;
    }
    for (size_t i = 0; i < count; i++) length += parts[i].before.len + parts[i].length;
    gale__file_send_t *f = new_send(r, fd, parts, count, text);
    int err = f == NULL ? UV_ENOMEM : gale__exchange_begin(r, status, h, n, (int64_t)length);
    if (err < 0) {
        close(fd);
        gale__free(text);
        gale__free(f);
        return err;
    }
    if (r->encoder != NULL) f->by_reads = true; /* what is coded must be seen */
    r->file = f;
    if (keep != NULL) f->fresh = gale__files_prepare(r->worker, keep);
    if (length == 0 || !gale__exchange_sends_body(r, status)) finish(r);
    return 0;
}

int gale__exchange_file(gale_req_t *r, int status, const gale_header_t *h, size_t n, int fd,
                        uint64_t offset, int64_t length) {
    struct stat st;
    int err = length < -1 ? UV_EINVAL : 0;
    if (err == 0 && fstat(fd, &st) < 0) err = UV_EBADF;
    if (err == 0 && !S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) err = UV_EINVAL;
    if (length == -1) {
        length = err < 0 || (uint64_t)st.st_size < offset ? 0 : st.st_size - (int64_t)offset;
    }
    if (err < 0) {
        close(fd);
        return err;
    }
    gale__file_part_t part = {{NULL, 0}, offset, (uint64_t)length};
    return gale__file_send(r, status, h, n, fd, &part, 1, NULL, NULL);
}
