#include "rig_coding.h"

#include <stdio.h>

#include "http1_chunked.h"
#include "str.h"
#include "worker.h"

const char *rig_prose(size_t len) {
    static char *text;
    uint32_t random = 7;
    free(text);
    text = malloc(len + 1);
    if (text == NULL) abort();
    for (size_t i = 0; i < len; i++) {
        random = random * 1664525u + 1013904223u;
        text[i] = i % 16 < 12 ? "all work and no play makes jack a dull boy "[i % 43]
                              : (char)('a' + (random >> 24) % 26);
    }
    text[len] = '\0';
    return text;
}

const char *rig_field(const rig_answer_t *a, const char *name) {
    static char value[400];
    const char *line = a->head.text;
    unsigned found = 0;
    value[0] = '\0';
    while (line != NULL && (line = strstr(line, "\r\n")) != NULL) {
        line += 2;
        size_t len = strlen(name);
        if (!gale__eq_nocase(gale_str(line, strnlen(line, len)), gale_str(name, len)) ||
            line[len] != ':') {
            continue;
        }
        found++;
        snprintf(value, sizeof value, "%.*s", (int)strcspn(line + len + 2, "\r"), line + len + 2);
    }
    if (found != 1) value[0] = '\0';
    return value;
}

/* Takes the chunks apart. */
static bool unchunk(gale_str_t bytes, rig_text_t *to) {
    gale__chunked_t d;
    gale_str_t data;
    size_t pos = 0;
    int event;
    gale__chunked_init(&d);
    while ((event = gale__chunked_next(&d, bytes.ptr, bytes.len, &pos, &data)) > 0 &&
           event != GALE__CHUNKED_END) {
        if (event == GALE__CHUNKED_DATA) rig_text_add(to, data);
    }
    CHECK(event != GALE__CHUNKED_ERROR);
    return event == GALE__CHUNKED_END;
}

static void decode(rig_answer_t *a, gale_str_t body) {
    gale__budget_t budget = {0, SIZE_MAX};
    a->wire = body.len;
    if (a->coding == GALE__IDENTITY) {
        coded_add(&a->body, body.ptr, body.len);
        return;
    }
    gale__decoder_t *d = gale__decoder_new(a->coding, &budget);
    if (d == NULL) abort();
    a->body = decode_all(d, body.ptr, body.len, 1000, 5000, SIZE_MAX);
    CHECK(a->body.result == GALE__CODER_DONE);
    a->whole = a->whole && a->body.whole;
    gale__decoder_free(d);
}

rig_answer_t rig_answer(gale_str_t bytes, bool head_only) {
    rig_answer_t a = {.status = rig_status_of(bytes)};
    gale_str_t body = rig_body_of(bytes);
    size_t head = body.ptr == NULL ? bytes.len : (size_t)(body.ptr - bytes.ptr);
    rig_text_add(&a.head, gale_str(bytes.ptr, head));
    const char *coding = rig_field(&a, "Content-Encoding");
    if (*coding != '\0') CHECK(gale__coding_named(gale_cstr(coding), &a.coding));
    a.chunked = strcmp(rig_field(&a, "Transfer-Encoding"), "chunked") == 0;
    const char *length = rig_field(&a, "Content-Length");
    CHECK(!a.chunked || *length == '\0');
    if (head_only) {
        CHECK_EQ_UINT(body.len, 0);
        return a;
    }
    rig_text_t whole = {0};
    if (a.chunked) {
        a.whole = unchunk(body, &whole);
    } else {
        a.whole = *length == '\0' || (size_t)atol(length) == body.len;
        rig_text_add(&whole, body);
    }
    decode(&a, gale_str(whole.text, whole.len));
    rig_text_free(&whole);
    return a;
}

void rig_answer_free(rig_answer_t *a) {
    rig_text_free(&a->head);
    coded_free(&a->body);
}

rig_answer_t rig_ask_for(rig_t *rig, rig_client_t *client, const char *method, const char *fields) {
    rig_text_t text = {0};
    rig_text_addf(&text, "%s / HTTP/1.1\r\nHost: h\r\n%s\r\n", method, fields);
    rig_take(client);
    rig_send_bytes(client, text.text, text.len);
    rig_turn(rig, 40);
    rig_text_free(&text);
    return rig_answer(rig_take(client), strcmp(method, "HEAD") == 0);
}

coded_t rig_coded(gale__coding_t coding, const void *bytes, size_t len) {
    gale__budget_t budget = {0, SIZE_MAX};
    coded_t to = {0};
    gale__encoder_t *e = gale__encoder_new(coding, 6, &budget);
    if (e == NULL) abort();
    encode_some(e, &to, bytes, len, GALE__CODER_FINISH, 4096);
    gale__encoder_free(e);
    return to;
}

rig_answer_t rig_so_far(rig_client_t *client) {
    return rig_answer(gale_str(client->out.text, client->out.len), false);
}

void rig_write(gale_req_t *req, const char *text) {
    CHECK_EQ_INT(gale_resp_write(req, gale_cstr(text)), 0);
}

void rig_check_coders(rig_t *rig) {
    const gale__coders_t *c = &rig->worker->coders;
    size_t kept = 0;
    for (int i = 0; i < GALE__CODINGS; i++) {
        for (const gale__encoder_t *e = c->encoders[i]; e != NULL; e = e->next)
            kept += gale__encoder_bytes(e);
        for (const gale__decoder_t *d = c->decoders[i]; d != NULL; d = d->next)
            kept += gale__decoder_bytes(d);
    }
    CHECK_MSG(c->budget.used <= kept, "%zu bytes in use, %zu of idle ones", c->budget.used, kept);
}

void rig_page_answer(rig_t *rig, gale_req_t *req) {
    rig_page_t *p = rig->arg;
    gale_str_t body = gale_str(p->body, p->len);
    p->result = p->owned ? gale_respond_buf(req, p->status, p->fields, p->field_count,
                                            rig_buf(p->body, p->len, &p->freed))
                         : gale_respond(req, p->status, p->fields, p->field_count, body);
    if (p->result < 0) gale_respond_text(req, 500, "refused");
}

rig_page_t rig_page(size_t len) {
    rig_page_t p = {.status = 200, .field_count = 1, .body = rig_prose(len), .len = len};
    p.fields[0] = (gale_header_t){{"Content-Type", 12}, {"text/html; charset=utf-8", 24}};
    return p;
}

void rig_page_field(rig_page_t *p, const char *name, const char *value) {
    p->fields[p->field_count++] = (gale_header_t){gale_cstr(name), gale_cstr(value)};
}

void rig_compressing(rig_t *rig, rig_client_t *client, rig_page_t *page, uint32_t codings) {
    rig_init(rig);
    rig->config.compress = codings;
    rig->request = page == NULL ? NULL : rig_page_answer;
    rig->arg = page;
    rig_open(rig);
    rig_connect(rig, client);
}

void rig_compressed(rig_t *rig, rig_client_t *client) {
    rig_drop(rig, client);
    rig_check_coders(rig);
    rig_close(rig);
}

void rig_check_body(const rig_answer_t *a, const rig_page_t *p) {
    CHECK_MSG(a->whole && a->body.len == p->len &&
                  (p->len == 0 || memcmp(a->body.bytes, p->body, p->len) == 0),
              "%zu bytes, want %zu", a->body.len, p->len);
}

/* ------------------------------------------------------------------------------ coded requests */

static void copy_field(gale_req_t *req, const char *name, char *to, size_t size) {
    gale_str_t v = gale_req_header(req, gale_cstr(name));
    snprintf(to, size, "%.*s", (int)v.len, v.ptr == NULL ? "" : v.ptr);
}

static void look(rig_t *rig, gale_req_t *req) {
    rig_seen_t *s = rig->arg;
    copy_field(req, "X-Consumed-Content-Encoding", s->consumed, sizeof s->consumed);
    copy_field(req, "Content-Encoding", s->left, sizeof s->left);
    copy_field(req, "Content-Length", s->length, sizeof s->length);
    s->content_length = gale_req_content_length(req);
    s->has_body = gale_req_has_body(req);
    if (s->max_body > 0) CHECK_EQ_INT(gale_req_set_max_body(req, s->max_body), 0);
    if (s->collect > 0) gale_req_collect(req, s->collect);
    if (rig->streaming && s->has_body) return;
    gale_str_t body = gale_req_body(req);
    rig_text_clear(&s->body);
    rig_text_add(&s->body, body);
    gale_respond_text(req, 200, "whole");
}

static void piece(rig_t *rig, gale_req_t *req, gale_str_t chunk, bool last) {
    rig_seen_t *s = rig->arg;
    CHECK(!s->was_paused);
    if (chunk.len > s->largest) s->largest = chunk.len;
    if (last || s->early) {
        gale_respond_text(req, 200, last ? "streamed" : "early");
    } else if (s->pause) {
        s->was_paused = true;
        gale_req_pause(req);
    }
}

void rig_decoding(rig_t *rig, rig_seen_t *seen, bool streaming) {
    memset(seen, 0, sizeof *seen);
    rig_init(rig);
    rig->config.decompress = GALE_CODING_ALL;
    rig->streaming = streaming;
    rig->request = look;
    rig->body = piece;
    rig->arg = seen;
}

void rig_open_client(rig_t *rig, rig_client_t *client) {
    rig_open(rig);
    rig_connect(rig, client);
}

void rig_decoded(rig_t *rig, rig_client_t *client) {
    rig_seen_t *s = rig->arg;
    rig_drop(rig, client);
    rig_check_coders(rig);
    rig_close(rig);
    rig_text_free(&s->body);
}

void rig_add_post(rig_text_t *to, const char *fields, const coded_t *body, size_t chunk) {
    rig_text_addf(to, "POST /up HTTP/1.1\r\nHost: h\r\n%s", fields);
    if (chunk == 0) {
        rig_text_addf(to, "Content-Length: %zu\r\n\r\n", body->len);
        rig_text_add(to, gale_str(body->bytes, body->len));
        return;
    }
    rig_text_addf(to, "Transfer-Encoding: chunked\r\n\r\n");
    for (size_t pos = 0; pos < body->len; pos += chunk) {
        size_t n = chunk < body->len - pos ? chunk : body->len - pos;
        rig_text_addf(to, "%zx\r\n", n);
        rig_text_add(to, gale_str(body->bytes + pos, n));
        rig_text_addf(to, "\r\n");
    }
    rig_text_addf(to, "0\r\n\r\n");
}

int rig_post(rig_t *rig, rig_client_t *client, const char *fields, const coded_t *body,
             size_t chunk) {
    rig_text_t text = {0};
    rig_add_post(&text, fields, body, chunk);
    rig_take(client);
    rig_text_clear(&rig->in);
    rig_send_bytes(client, text.text, text.len);
    rig_text_free(&text);
    rig_turn(rig, 20); /* 8 MiB are decoded in more than ten */
    return rig_status_of(gale_str(client->out.text, client->out.len));
}

bool rig_is(const rig_text_t *got, const char *want, size_t len) {
    return got->len == len && (len == 0 || memcmp(got->text, want, len) == 0);
}
