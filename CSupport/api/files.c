/* gale_files_*, gale_respond_file: checks thread and struct, then io does it. */
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "../io/exchange.h"
#include "../io/file_answer.h"
#include "../io/files.h"
#include "config.h"
#include "given.h"

int gale_files_open_with(gale_files_t **out, const char *root, const gale_files_config_t *config) {
    gale_files_config_t c = {0};
    size_t smallest = offsetof(gale_files_config_t, no_precompressed) + sizeof c.no_precompressed;
    *out = NULL;
    int err = config == NULL ? 0 : gale__struct_take(&c, sizeof c, config, smallest);
    return err < 0 ? err : gale__files_new(out, root, &c);
}

int gale_files_open(gale_files_t **out, const char *root) {
    return gale_files_open_with(out, root, NULL);
}

void gale_files_free(gale_files_t *files) {
    if (files != NULL) gale__files_free(files);
}

int gale_files_serve(gale_files_t *files, gale_req_t *req, gale_str_t path,
                     const gale_header_t *headers, size_t count) {
    if (!gale__on_loop(req->worker)) return GALE_ETHREAD;
    if (gale__str_lacks(path) || gale__fields_lack(headers, count)) return UV_EINVAL;
    return gale__files_serve(files, req, path, headers, count);
}

int gale_files_version(gale_files_t *files, gale_str_t path, char *out) {
    out[0] = '\0';
    if (gale__str_lacks(path)) return UV_EINVAL;
    return gale__files_path_version(files, path, out);
}

int gale_respond_file(gale_req_t *req, const gale_header_t *headers, size_t count, int fd) {
    gale__representation_t rep;
    struct stat st;
    int err = gale__on_loop(req->worker) ? 0 : GALE_ETHREAD;
    if (err == 0 && gale_resp_begun(req)) err = GALE_ESTATE;
    if (gale__fields_lack(headers, count)) err = UV_EINVAL;
    if (err == 0 && fstat(fd, &st) < 0) err = UV_EBADF;
    if (err == 0 && !S_ISREG(st.st_mode)) err = UV_EINVAL;
    if (err < 0) {
        close(fd);
        return err;
    }
    gale__representation_init(&rep, fd, &st);
    return gale__file_answer(req, &rep, headers, count);
}
