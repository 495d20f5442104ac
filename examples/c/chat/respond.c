#include "respond.h"

/* A browser that runs nothing but our own files, tells nobody where it has been, and keeps no page
 * of somebody who has logged out. */
enum { COMMON = 4, MOST = COMMON + 2 };

static size_t common(gale_header_t *headers) {
    static const char *const fields[COMMON][2] = {
        {"Content-Security-Policy",
         "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "same-origin"},
        {"Cache-Control", "no-store"},
    };
    for (size_t i = 0; i < COMMON; i++) {
        headers[i] = (gale_header_t){gale_cstr(fields[i][0]), gale_cstr(fields[i][1])};
    }
    return COMMON;
}

static void respond(gale_req_t *req, int status, const char *type, const char *cookie,
                    gale_buf_t body) {
    gale_header_t headers[MOST];
    size_t count = common(headers);
    headers[count++] = (gale_header_t){gale_cstr("Content-Type"), gale_cstr(type)};
    if (cookie != NULL) {
        headers[count++] = (gale_header_t){gale_cstr("Set-Cookie"), gale_cstr(cookie)};
    }
    gale_respond_buf(req, status, headers, count, body);
}

void respond_html(gale_req_t *req, int status, text_t *page, const char *cookie) {
    gale_buf_t body = text_take(page);
    if (body.ptr == NULL) {
        respond_error(req, 503, "out of memory");
    } else {
        respond(req, status, "text/html; charset=utf-8", cookie, body);
    }
}

void respond_json(gale_req_t *req, text_t *json) {
    gale_buf_t body = text_take(json);
    if (body.ptr == NULL) {
        respond_error(req, 503, "out of memory");
    } else {
        respond(req, 200, "application/json", NULL, body);
    }
}

void respond_redirect(gale_req_t *req, const char *to, const char *cookie) {
    gale_header_t headers[MOST];
    size_t count = common(headers);
    headers[count++] = (gale_header_t){gale_cstr("Location"), gale_cstr(to)};
    if (cookie != NULL) {
        headers[count++] = (gale_header_t){gale_cstr("Set-Cookie"), gale_cstr(cookie)};
    }
    gale_respond(req, 303, headers, count, gale_str(NULL, 0));
}

void respond_error(gale_req_t *req, int status, const char *why) {
    gale_header_t headers[MOST];
    size_t count = common(headers);
    headers[count++] =
        (gale_header_t){gale_cstr("Content-Type"), gale_cstr("text/plain; charset=utf-8")};
    gale_respond(req, status, headers, count, gale_cstr(why));
}

void respond_not_allowed(gale_req_t *req, const char *allowed) {
    gale_header_t allow = {gale_cstr("Allow"), gale_cstr(allowed)};
    gale_respond(req, 405, &allow, 1, gale_str(NULL, 0));
}
