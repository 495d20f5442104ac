/*
 * Static files (STA-01 ... STA-13): here a path of a URL becomes a file's name and its
 * representation. files_open.c opens it, file_answer.c answers.
 */
#include "files.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "accept.h"
#include "exchange.h"
#include "file_answer.h"
#include "files_cache.h"
#include "files_version.h"
#include "mem.h"
#include "mime.h"
#include "str.h"
#include "url_path.h"

/* Room for an index behind the path, and a suffix behind that. */
enum { NAME_SIZE = GALE__FILES_PATH + GALE__FILES_INDEX + 8, YEAR = 31536000 };

/* A file under the name it was found by: open, or in memory. */
typedef struct {
    char name[NAME_SIZE];
    size_t len;
    int fd; /* -1: there is an entry */
    gale__files_entry_t *entry;
    struct stat st;
} found_t;

/* Who asks, of what. */
typedef struct {
    gale_files_t *files;
    gale_req_t *req; /* null: nobody, a version is to be made */
    gale_worker_t *worker;
    bool needs_fd; /* memory will not do */
} asking_t;

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
    static atomic_uint_fast64_t ids;
    gale_files_t *files = gale__calloc(1, sizeof *files);
    if (files == NULL) return UV_ENOMEM;
    files->root = -1;
    int err = take_config(files, config) ? gale__files_open_root(files, root) : UV_EINVAL;
    if (err == 0 && (files->versions = gale__versions_new()) == NULL) err = UV_ENOMEM;
    if (err == 0 && config->cache_control != NULL) {
        size_t size = strlen(config->cache_control) + 1;
        files->cache_control = gale__malloc(size);
        if (files->cache_control == NULL)
            err = UV_ENOMEM;
        else
            memcpy(files->cache_control, config->cache_control, size);
    }
    if (err < 0) {
        gale__files_free(files);
        return err;
    }
    files->id = atomic_fetch_add(&ids, 1) + 1;
    *out = files;
    return 0;
}

void gale__files_free(gale_files_t *files) {
    if (files->root >= 0) close(files->root);
    gale__versions_free(files->versions);
    gale__free(files->cache_control);
    gale__free(files);
}

/* ---------------------------------------------------------------------------------- what is served */

static void close_found(const found_t *f) {
    if (f->fd >= 0) close(f->fd);
}

/* 0, or the status to answer with. */
static int open_found(const asking_t *a, found_t *f) {
    f->fd = -1;
    f->entry =
        a->needs_fd ? NULL : gale__files_cached(a->worker, a->files, f->name, f->len, &f->st);
    if (f->entry != NULL) return 0;
    f->fd = gale__files_open_file(a->files, f->name, &f->st);
    if (f->fd < 0) return -f->fd;
    if (a->needs_fd || !S_ISREG(f->st.st_mode)) return 0;
    gale__file_keep_t keep = {a->files, f->name, f->len, &f->st};
    f->entry = gale__files_keep(a->worker, &keep, f->fd);
    if (f->entry != NULL) {
        close(f->fd);
        f->fd = -1;
    }
    return 0;
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

/* Finds the file for a path. 0: there it is; else what gale_files_serve gives, or, when *answered,
 * the result of a redirect. */
static int find(const asking_t *a, gale_str_t path, found_t *f, bool *answered) {
    const gale_files_t *files = a->files;
    int len = gale__path_normalize(path, f->name, GALE__FILES_PATH, files->dotfiles);
    if (len < 0) return -len;
    f->len = (size_t)len;
    bool folder = len == 0 || f->name[len - 1] == '/', indexed = files->index[0] != '\0';
    if (folder && !indexed) return 404;
    if (folder) append(f, files->index);
    int status = open_found(a, f);
    if (status == 0 && S_ISDIR(f->st.st_mode) && !folder && indexed) {
        close_found(f);
        /* A caller may have cut a slash off, or serve a folder under its own name: then there is
         * nothing to add. */
        if (a->req == NULL) return 403;
        *answered = !ends_with_slash(gale_req_path(a->req));
        if (*answered) return redirect_to_folder(a->req);
        append(f, "/");
        append(f, files->index);
        status = open_found(a, f);
    }
    if (status != 0 || S_ISREG(f->st.st_mode)) return status;
    close_found(f);
    return 403;
}

/* ----------------------------------------------------------------------------------- precompressed */

static const struct {
    gale__coding_t coding;
    const char *suffix;
} siblings[] = {{GALE__BROTLI, ".br"}, {GALE__ZSTD, ".zst"}, {GALE__GZIP, ".gz"}};
enum { SIBLINGS = sizeof siblings / sizeof *siblings };

static bool has_suffix(const found_t *f, const char *suffix) {
    size_t len = strlen(suffix);
    return f->len > len && memcmp(f->name + f->len - len, suffix, len) == 0;
}

/* Opens name.br and its like. Not when it is older than the file it stands for: then that has changed
 * since it was made. *exists is for any of that name. */
static bool open_sibling(const asking_t *a, const found_t *f, const char *suffix, found_t *sibling,
                         bool *exists) {
    memcpy(sibling->name, f->name, f->len);
    sibling->len = f->len;
    append(sibling, suffix);
    int status = open_found(a, sibling);
    if (status != 404) *exists = true;
    if (status != 0) return false;
    if (S_ISREG(sibling->st.st_mode) &&
        gale__files_modified(&sibling->st) >= gale__files_modified(&f->st))
        return true;
    close_found(sibling);
    return false;
}

/* Opens what siblings there are; their number. A file in memory knows when it has none, for as long
 * as nothing changes in its folder. */
static size_t open_siblings(const asking_t *a, const found_t *f, found_t *opened,
                            gale__coding_t *offered) {
    gale__identity_t folder;
    size_t count = 0;
    bool exists = false;
    if (f->entry != NULL && gale__files_alone(a->worker, a->files, f->entry)) return 0;
    bool known = f->entry != NULL && gale__files_folder(a->worker, a->files, f->entry, &folder);
    for (size_t i = 0; i < SIBLINGS; i++) {
        if (has_suffix(f, siblings[i].suffix)) return 0; /* it is one itself */
    }
    for (size_t i = 0; i < SIBLINGS; i++) {
        if (!open_sibling(a, f, siblings[i].suffix, &opened[count], &exists)) continue;
        offered[count++] = siblings[i].coding;
    }
    if (known && !exists) {
        f->entry->folder = folder;
        f->entry->alone = true;
    }
    return count;
}

/* Puts the sibling that the client likes best in the place of the file. *varies: there are any. */
static gale__coding_t choose_sibling(const asking_t *a, found_t *f, bool *varies) {
    gale__coding_t offered[SIBLINGS];
    found_t opened[SIBLINGS];
    size_t count = open_siblings(a, f, opened, offered);
    *varies = count > 0;
    if (count == 0) return GALE__IDENTITY;
    const gale_header_t *fields;
    size_t field_count = gale_req_headers(a->req, &fields);
    gale__coding_t best = gale__accept_encoding(fields, field_count, offered, count);
    for (size_t i = 0; i < count; i++) {
        if (offered[i] != best) {
            close_found(&opened[i]);
            continue;
        }
        close_found(f);
        *f = opened[i];
    }
    return best;
}

/* ----------------------------------------------------------------------------------------- serving */

/* Value of the query's first parameter `v`; ptr null without one. */
static gale_str_t version_asked(gale_str_t query) {
    while (query.len > 0) {
        const char *end = memchr(query.ptr, '&', query.len);
        size_t len = end != NULL ? (size_t)(end - query.ptr) : query.len;
        if (len >= 2 && query.ptr[0] == 'v' && query.ptr[1] == '=')
            return gale_str(query.ptr + 2, len - 2);
        if (end == NULL) break;
        query = gale_str(end + 1, query.len - len - 1);
    }
    return gale_str(NULL, 0);
}

static bool is_version_of_ours(gale_str_t asked) {
    bool ours = asked.len == GALE__VERSION_LEN;
    for (size_t i = 0; ours && i < asked.len; i++) {
        char c = asked.ptr[i];
        ours = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    }
    return ours;
}

/* Whether the URL will never mean another file (STA-04). A version that was made here has to be the
 * file's own: while a new release spreads over many servers, an old one must not answer the new URL
 * with what caches then keep for a year. Any other is the application's own affair. */
static bool is_asked_by_version(const asking_t *a, const found_t *f) {
    char version[GALE__VERSION_LEN];
    gale_str_t asked = version_asked(gale_req_query(a->req));
    if (asked.len == 0 || !is_version_of_ours(asked)) return asked.len > 0;
    return gale__files_version(a->files, a->worker, f->fd, &f->st,
                               f->entry != NULL ? f->entry->content : NULL, version) == 0 &&
           memcmp(asked.ptr, version, sizeof version) == 0;
}

static int answer(const asking_t *a, found_t *f, const gale_header_t *headers, size_t count) {
    const gale_files_t *files = a->files;
    gale__representation_t rep;
    bool varies = false;
    gale__coding_t coding = GALE__IDENTITY;
    gale_str_t type = gale__mime_type(gale_str(f->name, f->len));
    bool versioned = is_asked_by_version(a, f);
    if (files->precompressed) coding = choose_sibling(a, f, &varies);
    gale__representation_init(&rep, f->fd, &f->st);
    gale__file_keep_t keep = {files, f->name, f->len, &f->st};
    if (f->entry != NULL)
        rep.content = f->entry->content;
    else
        rep.keep = &keep;
    rep.type = type;
    rep.varies = varies;
    if (coding != GALE__IDENTITY) rep.encoding = gale__coding_name(coding);
    if (versioned) {
        rep.cache_control = gale_cstr(files->version_control);
        rep.expires = files->max_age;
    } else if (files->cache_control != NULL) {
        rep.cache_control = gale_cstr(files->cache_control);
    }
    return gale__file_answer(a->req, &rep, headers, count);
}

int gale__files_serve(gale_files_t *files, gale_req_t *req, gale_str_t path,
                      const gale_header_t *headers, size_t count) {
    asking_t a = {files, req, req->worker, false};
    found_t f;
    if (gale_resp_begun(req)) return GALE_ESTATE;
    gale_str_t method = gale_req_method(req);
    if (!gale__eq(method, GALE__LIT("GET")) && !gale__eq(method, GALE__LIT("HEAD"))) return 405;
    a.needs_fd = gale__file_answer_needs_fd(req);
    bool answered = false;
    int status = find(&a, path, &f, &answered);
    return status != 0 || answered ? status : answer(&a, &f, headers, count);
}

static int error_of(int status) {
    switch (status) {
    case 400:
        return UV_EINVAL;
    case 403:
        return UV_EACCES;
    case 404:
        return UV_ENOENT;
    case 414:
        return UV_ENAMETOOLONG;
    default:
        return UV_EIO;
    }
}

int gale__files_path_version(gale_files_t *files, gale_str_t path, char *out) {
    asking_t a = {files, NULL, gale__worker_here(), true};
    found_t f;
    bool answered = false;
    int status = find(&a, path, &f, &answered);
    if (status != 0) return error_of(status);
    int err = gale__files_version(files, a.worker, f.fd, &f.st, NULL, out);
    close_found(&f);
    out[err == 0 ? GALE__VERSION_LEN : 0] = '\0';
    return err;
}
