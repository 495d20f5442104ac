/* gale_respond*, gale_resp_*: checks the thread, then the exchange does it. */
#include <unistd.h>

#include "../io/connection.h"
#include "given.h"
#include "str.h"

int gale_respond(gale_req_t *r, int status, const gale_header_t *h, size_t n, gale_str_t body) {
    if (!gale__on_loop(r->worker)) return GALE_ETHREAD;
    if (gale__fields_lack(h, n) || gale__str_lacks(body)) return UV_EINVAL;
    return gale__exchange_respond(r, status, h, n, body);
}

int gale_respond_buf(gale_req_t *r, int status, const gale_header_t *h, size_t n, gale_buf_t body) {
    int err = gale__on_loop(r->worker) ? 0 : GALE_ETHREAD;
    if (gale__fields_lack(h, n) || gale__lacks(body.ptr, body.len)) err = UV_EINVAL;
    if (err < 0) {
        gale_buf_free(body);
        return err;
    }
    return gale__exchange_respond_buf(r, status, h, n, body);
}

int gale_respond_text(gale_req_t *r, int status, const char *text) {
    gale_header_t type = {GALE__LIT("Content-Type"), GALE__LIT("text/plain; charset=utf-8")};
    return gale_respond(r, status, &type, 1, gale_cstr(text));
}

int gale_resp_begin(gale_req_t *r, int status, const gale_header_t *h, size_t n, int64_t length) {
    if (!gale__on_loop(r->worker)) return GALE_ETHREAD;
    if (gale__fields_lack(h, n)) return UV_EINVAL;
    return gale__exchange_begin(r, status, h, n, length);
}

int gale_resp_write(gale_req_t *r, gale_str_t bytes) {
    if (!gale__on_loop(r->worker)) return GALE_ETHREAD;
    return gale__str_lacks(bytes) ? UV_EINVAL : gale__exchange_write(r, bytes);
}

int gale_resp_write_buf(gale_req_t *r, gale_buf_t bytes) {
    int err = gale__on_loop(r->worker) ? 0 : GALE_ETHREAD;
    if (gale__lacks(bytes.ptr, bytes.len)) err = UV_EINVAL;
    if (err < 0) {
        gale_buf_free(bytes);
        return err;
    }
    return gale__exchange_write_buf(r, bytes);
}

int gale_resp_flush(gale_req_t *r) {
    if (!gale__on_loop(r->worker)) return GALE_ETHREAD;
    return gale__exchange_flush(r);
}

int gale_resp_end(gale_req_t *r, const gale_header_t *trailers, size_t n) {
    if (!gale__on_loop(r->worker)) return GALE_ETHREAD;
    return gale__fields_lack(trailers, n) ? UV_EINVAL : gale__exchange_end(r, trailers, n);
}

size_t gale_resp_queued(const gale_req_t *r) {
    return gale__conn_queued(r->conn);
}

bool gale_resp_begun(const gale_req_t *r) {
    return r->resp_state != GALE__RESP_NONE;
}

void gale_resp_abort(gale_req_t *r) {
    if (gale__on_loop(r->worker) && !r->done) gale__conn_cut(r->conn, GALE_EABORTED);
}

int gale_resp_file(gale_req_t *r, int status, const gale_header_t *h, size_t n, int fd,
                   uint64_t offset, int64_t length) {
    int err = gale__on_loop(r->worker) ? 0 : GALE_ETHREAD;
    if (gale__fields_lack(h, n)) err = UV_EINVAL;
    if (err < 0) {
        close(fd);
        return err;
    }
    return gale__exchange_file(r, status, h, n, fd, offset, length);
}
