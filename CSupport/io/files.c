/*
 * Static files (STA-01 ... STA-13): here a path of a URL becomes a file's name and its
 * representation. files_open.c opens it, file_answer.c answers.
 */
#include "files.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "accept.h"
#include "exchange.h"
#include "file_answer.h"
#include "mem.h"
#include "mime.h"
#include "str.h"
#include "url_path.h"

enum { NAME_SIZE = GALE__FILES_PATH + GALE__FILES_INDEX, YEAR = 31536000 };

/* A file that is open, under the name it was found by. */
typedef struct {
    char name[NAME_SIZE];
    size_t len;
    int fd;
    struct stat st;
} found_t;

/* ------------------------------------------------------------------------------------------ life */

static bool take_config(gale_files_t *files, const gale_files_config_t *config) {
    const char *index = config->index != NULL ? config->index : "index.html";
    size_t len = strlen(index);
    if (len >= sizeof files->index || strchr(index, '/') != NULL || strcmp(index, "..") == 0 ||
        strcmp(index, ".") == 0 || config->symlinks > GALE__LINKS_NONE)
        return false;
    memcpy(files->index, index, len + 1);
    files->links = (uint8_t)config->symlinks;
    files->dotfiles = config->dotfiles != 0;
    files->precompressed = config->no_precompressed == 0;
    files->max_age = config->version_max_age != 0 ? config->version_max_age : YEAR;
    gale_str_t control = gale_str(NULL, 0);
    if (config->cache_control != NULL) control = gale_cstr(config->cache_control);
    if (!gale__is_field_value(control)) return false;
    snprintf(files->version_control, sizeof files->version_control, "public, max-age=%u, immutable",
             files->max_age);
    return true;
}

int gale__files_new(gale_files_t **out, const char *root, const gale_files_config_t *config) {
    gale_files_t *files = gale__calloc(1, sizeof *files);
    if (files == NULL) return UV_ENOMEM;
    int err = take_config(files, config) ? gale__files_open_root(files, root) : UV_EINVAL;
    if (err < 0) {
        gale__free(files);
        return err;
    }
    if (config->cache_control != NULL && config->cache_control[0] != '\0') {
        size_t size = strlen(config->cache_control) + 1;
        files->cache_control = gale__malloc(size);
        if (files->cache_control == NULL) {
            gale__files_free(files);
            return UV_ENOMEM;
        }
        memcpy(files->cache_control, config->cache_control, size);
    }
    *out = files;
    return 0;
}

void gale__files_free(gale_files_t *files) {
    close(files->root);
    gale__free(files->cache_control);
    gale__free(files);
}

/* ---------------------------------------------------------------------------------- what is served */

static int open_found(const gale_files_t *files, found_t *f) {
    f->fd = gale__files_open_file(files, f->name, &f->st);
    return f->fd < 0 ? -f->fd : 0;
}

static void append(found_t *f, const char *text) {
    size_t len = strlen(text);
    memcpy(f->name + f->len, text, len + 1);
    f->len += len;
}

/* STA-13: to the same path with a slash, so that relative links in the index work. A Location that
 * began "//" or "/\" would name another host (CVE-2023-28370). */
static int redirect_to_folder(gale_req_t *req) {
    gale_str_t path = gale_req_path(req), query = gale_req_query(req);
    if (path.len < 2 || path.ptr[0] != '/' || path.ptr[1] == '/' || path.ptr[1] == '\\') return 403;
    size_t size = path.len + 1 + (query.len > 0 ? 1 + query.len : 0);
    char *location = gale__malloc(size), *p = location;
    if (location == NULL) return UV_ENOMEM;
    memcpy(p, path.ptr, path.len);
    p += path.len;
    *p++ = '/';
    if (query.len > 0) {
        *p++ = '?';
        memcpy(p, query.ptr, query.len);
    }
    gale_header_t header = {GALE__LIT("Location"), gale_str(location, size)};
    int result = gale__exchange_respond(req, 301, &header, 1, gale_str(NULL, 0));
    gale__free(location);
    return result;
}

static bool ends_with_slash(gale_str_t s) {
    return s.len > 0 && s.ptr[s.len - 1] == '/';
}

/* Finds the file for a path. 0: it is open; -1: answered by a redirect, *result says how; else the
 * status to answer with, or an error in *result with -1. */
static int find(const gale_files_t *files, gale_req_t *req, gale_str_t path, found_t *f,
                int *result) {
    int len = gale__path_normalize(path, f->name, GALE__FILES_PATH, files->dotfiles);
    if (len < 0) return -len;
    f->len = (size_t)len;
    bool folder = len == 0 || f->name[len - 1] == '/', indexed = files->index[0] != '\0';
    if (folder && !indexed) return 404;
    if (folder) append(f, files->index);
    int status = open_found(files, f);
    if (status == 0 && S_ISDIR(f->st.st_mode) && !folder && indexed) {
        close(f->fd);
        /* A caller may have cut a slash off, or serve a folder under its own name: then there is
         * nothing to add. */
        if (!ends_with_slash(gale_req_path(req))) {
            *result = redirect_to_folder(req);
            return -1;
        }
        append(f, "/");
        append(f, files->index);
        status = open_found(files, f);
    }
    if (status != 0 || S_ISREG(f->st.st_mode)) return status;
    close(f->fd);
    return 403;
}

/* ------------------------------------------------------------------------------------ precompressed */

static const struct {
    gale__coding_t coding;
    char suffix[5];
} siblings[] = {{GALE__BROTLI, ".br"}, {GALE__ZSTD, ".zst"}, {GALE__GZIP, ".gz"}};
enum { SIBLINGS = sizeof siblings / sizeof *siblings };

static bool has_suffix(const found_t *f, const char *suffix) {
    size_t len = strlen(suffix);
    return f->len > len && memcmp(f->name + f->len - len, suffix, len) == 0;
}

/* Opens name.br and its like, where it is a file no older than the one it stands for: else it was
 * made of something that has changed since. */
static int open_sibling(const gale_files_t *files, const found_t *f, const char *suffix,
                        struct stat *st) {
    char name[NAME_SIZE + sizeof siblings->suffix];
    memcpy(name, f->name, f->len);
    memcpy(name + f->len, suffix, strlen(suffix) + 1);
    int fd = gale__files_open_file(files, name, st);
    if (fd < 0) return -1;
    if (S_ISREG(st->st_mode) && gale__files_modified(st) >= gale__files_modified(&f->st)) return fd;
    close(fd);
    return -1;
}

/* Puts the sibling that the client likes best in the place of the file. *varies: there are any. */
static gale__coding_t choose_sibling(const gale_files_t *files, gale_req_t *req, found_t *f,
                                     bool *varies) {
    gale__coding_t offered[SIBLINGS];
    int fds[SIBLINGS];
    struct stat st[SIBLINGS];
    size_t count = 0, which[SIBLINGS];
    for (size_t i = 0; i < SIBLINGS; i++) {
        if (has_suffix(f, siblings[i].suffix)) return GALE__IDENTITY; /* it is one itself */
    }
    for (size_t i = 0; i < SIBLINGS; i++) {
        fds[count] = open_sibling(files, f, siblings[i].suffix, &st[count]);
        if (fds[count] < 0) continue;
        which[count] = i;
        offered[count++] = siblings[i].coding;
    }
    const gale_header_t *fields;
    size_t field_count = count > 0 ? gale_req_headers(req, &fields) : 0;
    gale__coding_t best =
        count > 0 ? gale__accept_encoding(fields, field_count, offered, count) : GALE__IDENTITY;
    for (size_t i = 0; i < count; i++) {
        int unused = fds[i];
        if (siblings[which[i]].coding == best) {
            unused = f->fd;
            f->fd = fds[i];
            f->st = st[i];
        }
        close(unused);
    }
    *varies = count > 0;
    return best;
}

/* ----------------------------------------------------------------------------------------- serving */

/* Whether the query has a parameter `v`: a URL made for one version of a file (STA-04). */
static bool has_version(gale_str_t query) {
    for (size_t i = 0; i + 1 < query.len; i++) {
        if ((i == 0 || query.ptr[i - 1] == '&') && query.ptr[i] == 'v' && query.ptr[i + 1] == '=')
            return true;
    }
    return false;
}

int gale__files_serve(gale_files_t *files, gale_req_t *req, gale_str_t path,
                      const gale_header_t *headers, size_t count) {
    found_t f;
    gale__representation_t rep;
    int result = 0;
    if (gale_resp_begun(req)) return GALE_ESTATE;
    gale_str_t method = gale_req_method(req);
    if (!gale__eq(method, GALE__LIT("GET")) && !gale__eq(method, GALE__LIT("HEAD"))) return 405;
    int status = find(files, req, path, &f, &result);
    if (status != 0) return status > 0 ? status : result;
    bool varies = false;
    gale__coding_t coding = GALE__IDENTITY;
    if (files->precompressed) coding = choose_sibling(files, req, &f, &varies);
    gale__representation_init(&rep, f.fd, &f.st);
    rep.type = gale__mime_type(gale_str(f.name, f.len));
    rep.varies = varies;
    if (coding != GALE__IDENTITY) rep.encoding = gale__coding_name(coding);
    if (has_version(gale_req_query(req))) {
        rep.cache_control = gale_cstr(files->version_control);
        rep.expires = files->max_age;
    } else if (files->cache_control != NULL) {
        rep.cache_control = gale_cstr(files->cache_control);
    }
    return gale__file_answer(req, &rep, headers, count);
}
