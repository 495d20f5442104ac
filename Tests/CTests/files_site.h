/*
 * For the tests of static files: a folder of files that are there to be served or refused, a server
 * for it on a loop of its own, and an in-memory client that asks for one of them and keeps the
 * reply.
 */
#ifndef GALE_TESTS_FILES_SITE_H
#define GALE_TESTS_FILES_SITE_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "str.h"
#include "test.h"

enum { LARGE = 300000, MTIME = 1700000000 };
#define MTIME_TEXT "Tue, 14 Nov 2023 22:13:20 GMT"

/* One folder, one server and its loop a test; one client a request. */
typedef struct {
    char dir[64];
    gale_server_t *server;
    gale_files_t *files;
    uv_loop_t loop;
    const gale_header_t *own; /* given to gale_files_serve */
    size_t own_count;
    int result; /* of gale_files_serve */
    size_t open_fds;
} site_t;

typedef struct {
    char text[LARGE + 4096];
    size_t len;
    bool closed;
} site_reply_t;
extern site_reply_t reply; /* to the last request */

bool site_begin(site_t *site, const gale_files_config_t *files);
/* With another handler, whose data is the site. */
bool site_begin_with(site_t *site, const gale_files_config_t *files,
                     void (*request)(gale_req_t *req, void *data));
void site_end(site_t *site);

void path_in(const site_t *site, const char *name, char out[256]);
/* With MTIME and a fraction as its time of change. */
void put_file(const site_t *site, const char *name, const char *bytes, size_t len);
void put_folder(const site_t *site, const char *name);
void put_link(const site_t *site, const char *name, const char *to);

/* Sends a request with these extra header lines; gives the status. */
int ask(site_t *site, const char *method, const char *target, const char *extra);
#define GET(site, target) ask(site, "GET", target, "")
/* Value of a header of the reply; ptr null without it. */
gale_str_t field(const char *name);
bool absent(const char *name);
gale_str_t content(void);

#define SITE_TEST(name)                                                                            \
    static void files_##name(site_t *site);                                                        \
    TEST(files, name) {                                                                            \
        site_t site;                                                                               \
        REQUIRE(site_begin(&site, NULL));                                                          \
        files_##name(&site);                                                                       \
        site_end(&site);                                                                           \
    }                                                                                              \
    static void files_##name(site_t *site)

#endif
