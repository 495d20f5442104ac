/*
 * A file as a response body: read in libuv's thread pool, one piece ahead of the socket, never more
 * than the high water mark in memory. The pool reads because a disk can block, and the loop must
 * not.
 */
#include <sys/stat.h>
#include <unistd.h>

#include "connection.h"
#include "mem.h"
#include "server.h"

enum { PIECE = 65536 };

struct gale__file_send {
    uv_fs_t fs;
    gale_req_t *req; /* null when the request ended first */
    int fd;
    uint64_t offset, left;
    bool reading;
    char *piece;
};

static void send_free(gale__file_send_t *f) {
    close(f->fd);
    gale__free(f->piece);
    gale__free(f);
}

void gale__file_cancel(gale_req_t *r) {
    gale__file_send_t *f = r->file;
    r->file = NULL;
    f->req = NULL;
    if (!f->reading) send_free(f);
}

static void finish(gale_req_t *r) {
    gale__file_cancel(r);
    gale__exchange_end(r, NULL, 0);
}

static void take_piece(gale__file_send_t *f, ssize_t n) {
    gale_req_t *r = f->req;
    if (n <= 0) { /* it shrank, or the disk failed: the length was promised */
        gale__conn_cut(r->conn, n == 0 ? GALE_ELENGTH : (int)n);
        return;
    }
    gale_buf_t piece = {f->piece, (size_t)n, gale__free, f->piece};
    f->piece = NULL;
    f->offset += (uint64_t)n;
    f->left -= (uint64_t)n;
    if (gale__exchange_write_buf(r, piece) < 0) return; /* on_done cleans up */
    if (f->left == 0) {
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
    if (f->req == NULL) {
        send_free(f);
        return;
    }
    gale_worker_t *before = gale__worker_enter(f->req->worker);
    take_piece(f, n);
    gale__worker_leave(before);
}

void gale__file_drain(gale_req_t *r) {
    gale__file_send_t *f = r->file;
    if (f->reading) return;
    if (f->piece == NULL && (f->piece = gale__malloc(PIECE)) == NULL) {
        gale__conn_cut(r->conn, UV_ENOMEM);
        return;
    }
    uv_buf_t buf = uv_buf_init(f->piece, f->left < PIECE ? (unsigned)f->left : PIECE);
    f->fs.data = f;
    int err = uv_fs_read(r->worker->loop, &f->fs, f->fd, &buf, 1, (int64_t)f->offset, on_piece);
    if (err < 0) {
        gale__conn_cut(r->conn, err);
        return;
    }
    f->reading = true;
}

int gale__exchange_file(gale_req_t *r, int status, const gale_header_t *h, size_t n, int fd,
                        uint64_t offset, int64_t length) {
    struct stat st;
    int err = length < -1 ? UV_EINVAL : 0;
    if (length == -1) {
        err = fstat(fd, &st) < 0 ? UV_EBADF : 0;
        length = err < 0 || (uint64_t)st.st_size < offset ? 0 : st.st_size - (int64_t)offset;
    }
    gale__file_send_t *f = err < 0 ? NULL : gale__calloc(1, sizeof *f);
    if (err == 0 && f == NULL) err = UV_ENOMEM;
    if (err == 0) err = gale__exchange_begin(r, status, h, n, length);
    if (err < 0) {
        close(fd);
        gale__free(f);
        return err;
    }
    f->fd = fd;
    f->offset = offset;
    f->left = (uint64_t)length;
    f->req = r;
    r->file = f;
    if (length == 0 || !gale__exchange_sends_body(r, status)) finish(r);
    return 0;
}
