/*
 * Memory of coded bodies: in the steady state nothing is allocated for them; and with any allocation
 * refused, alone or with all that follow, there is no crash, no leak, and each request has its end.
 */
#include <stdio.h>

#include "rig_alloc.h"
#include "rig_coding.h"

static const gale_header_t html = {{"Content-Type", 12}, {"text/html", 9}};

typedef struct {
    unsigned bufs, freed;
    gale_header_t fields[50]; /* more than have room on a stack */
    size_t field_count;
    size_t len;
} memory_t;

static gale_buf_t buf(rig_t *rig, size_t len) {
    memory_t *m = rig->arg;
    m->bufs++;
    return rig_buf(rig_pattern(len), len, &m->freed);
}

static void give_up(gale_req_t *req, int err) {
    if (err < 0) gale_resp_abort(req);
}

/* ------------------------------------------------------------------------------------- handlers */

static void respond(rig_t *rig, gale_req_t *req) {
    memory_t *m = rig->arg;
    give_up(req, gale_respond(req, 200, m->fields, m->field_count,
                              gale_str(rig_pattern(m->len), m->len)));
}

static void respond_buf(rig_t *rig, gale_req_t *req) {
    memory_t *m = rig->arg;
    give_up(req, gale_respond_buf(req, 200, m->fields, m->field_count, buf(rig, m->len)));
}

static void stream(rig_t *rig, gale_req_t *req) {
    int err = gale_resp_begin(req, 200, &html, 1, -1);
    for (int i = 0; err >= 0 && i < 10; i++) {
        err = gale_resp_write(req, gale_str("some text ", 10));
        if (err >= 0) err = gale_resp_flush(req);
    }
    if (err >= 0) err = gale_resp_write_buf(req, buf(rig, 50000));
    if (err >= 0) err = gale_resp_end(req, NULL, 0);
    give_up(req, err);
}

static void echo(rig_t *rig, gale_req_t *req) {
    (void)rig;
    if (gale_req_body(req).len > 0) give_up(req, gale_respond_text(req, 200, "thanks"));
}

static void read_on(rig_t *rig, gale_req_t *req, gale_str_t chunk, bool last) {
    (void)rig, (void)chunk;
    if (last) {
        give_up(req, gale_respond_text(req, 200, "thanks"));
    } else {
        gale_req_pause(req);
    }
}

/* ---------------------------------------------------------------------------------------- plays */

typedef struct {
    const char *name;
    void (*request)(rig_t *rig, gale_req_t *req);
    void (*body)(rig_t *rig, gale_req_t *req, gale_str_t chunk, bool last);
    size_t field_count, len;
    size_t upload; /* of the request's body before it is coded */
} scenario_t;

static const scenario_t scenarios[] = {
    {"whole", respond, NULL, 1, 3000, 0},
    {"whole, owned", respond_buf, NULL, 1, 100000, 0},
    {"whole, many fields", respond, NULL, 50, 3000, 0},
    {"large", respond, NULL, 1, 400000, 0},
    {"large, owned, many fields", respond_buf, NULL, 50, 400000, 0},
    {"streamed", stream, NULL, 1, 0, 0},
    {"upload, collected", echo, NULL, 0, 0, 20000},
    {"upload, streamed", echo, read_on, 0, 0, 60000},
};

static void prepare(rig_t *rig, memory_t *m, const scenario_t *s) {
    *m = (memory_t){.field_count = s->field_count, .len = s->len};
    m->fields[0] = html;
    for (size_t i = 1; i < 50; i++) m->fields[i] = (gale_header_t){{"X-A", 3}, {"b", 1}};
    rig_init(rig);
    rig->config.compress = rig->config.decompress = GALE_CODING_ALL;
    rig->config.decompress_ratio = 100000;
    rig->request = s->request;
    rig->body = s->body;
    rig->streaming = s->body != NULL;
    rig->keep_log = false;
    rig->arg = m;
}

/* What the client sends, made once. */
static rig_text_t question(const scenario_t *s, gale__coding_t coding) {
    rig_text_t text = {0};
    char fields[100];
    const char *name = gale__coding_name(coding).ptr;
    snprintf(fields, sizeof fields, "Content-Encoding: %s\r\nAccept-Encoding: %s\r\n", name, name);
    if (s->upload == 0) {
        rig_text_addf(&text, "GET / HTTP/1.1\r\nHost: h\r\n%s\r\n", fields);
        return text;
    }
    coded_t body = rig_coded(coding, rig_pattern(s->upload), s->upload);
    rig_add_post(&text, fields, &body, 0);
    coded_free(&body);
    return text;
}

static void play(rig_t *rig, rig_client_t *client, const rig_text_t *text) {
    rig_send_bytes(client, text->text, text->len);
    for (int i = 0; i < 12; i++) {
        rig_turn(rig, 1);
        if (rig->req != NULL) gale_req_resume(rig->req);
    }
}

/* ----------------------------------------------------------------------------------- refusals */

static bool attempt(const scenario_t *s, const rig_text_t *text, unsigned long fail, bool sticky) {
    rig_t rig;
    rig_client_t client = {0};
    memory_t m;
    rig_alloc_begin(fail, sticky);
    rig_alloc_pause(true);
    prepare(&rig, &m, s);
    rig_open(&rig);
    rig_connect(&rig, &client);
    rig_alloc_pause(false);
    play(&rig, &client, text);
    bool refused = rig_alloc_refused();
    rig_alloc_pause(true);
    if (!refused) CHECK_EQ_INT(rig_status_of(gale_str(client.out.text, client.out.len)), 200);
    rig_drop(&rig, &client);
    rig_check_coders(&rig);
    CHECK_EQ_UINT(rig.requests, rig.dones);
    rig_close(&rig);
    CHECK_EQ_UINT(m.freed, m.bufs);
    rig_alloc_end();
    return refused;
}

TEST(coding_memory, each_allocation_refused) {
    for (int coding = GALE__GZIP; coding < GALE__CODINGS; coding++) {
        if (!gale__coding_built((gale__coding_t)coding)) continue;
        for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
            rig_text_t text = question(&scenarios[i], (gale__coding_t)coding);
            for (int sticky = 0; sticky < 2; sticky++) {
                unsigned long n = 1;
                while (n < 300 && attempt(&scenarios[i], &text, n, sticky)) n++;
                CHECK_MSG(n > 3 && n < 300 && test_failures() == 0, "\"%s\", %d: %lu refusals",
                          scenarios[i].name, coding, n);
            }
            rig_text_free(&text);
        }
    }
}

/* ------------------------------------------------------------------------------- steady state */

TEST(coding_memory, none_in_the_steady_state) {
    enum { WARM = 10, ROUNDS = 50 };
    /* A large body that is copied is allocated; many fields are. */
    static const size_t steady[] = {0, 1, 5};
    for (int coding = GALE__GZIP; coding < GALE__CODINGS; coding++) {
        if (!gale__coding_built((gale__coding_t)coding)) continue;
        for (size_t i = 0; i < 3; i++) {
            const scenario_t *s = &scenarios[steady[i]];
            rig_t rig;
            rig_client_t client;
            memory_t m;
            unsigned long hook = 0, heap = 0;
            rig_text_t text = question(s, (gale__coding_t)coding);
            rig_alloc_begin(0, false);
            prepare(&rig, &m, s);
            rig_open(&rig);
            rig_connect(&rig, &client);
            for (int k = 0; k < WARM + ROUNDS; k++) {
                if (k == WARM) hook = rig_alloc_calls(), heap = rig_malloc_calls();
                play(&rig, &client, &text);
                rig_text_clear(&client.out);
            }
            CHECK_MSG(rig_alloc_calls() == hook, "\"%s\", %d: %lu of Gale's", s->name, coding,
                      rig_alloc_calls() - hook);
            CHECK_MSG(rig_malloc_calls() == heap, "\"%s\", %d: %lu of malloc", s->name, coding,
                      rig_malloc_calls() - heap);
            CHECK_EQ_UINT(rig.dones, WARM + ROUNDS);
            rig_drop(&rig, &client);
            rig_close(&rig);
            rig_alloc_end();
            rig_text_free(&text);
        }
    }
}
