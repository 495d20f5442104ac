#include "message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void message_html(text_t *out, const message_t *m, const char *reader) {
    bool mine = reader != NULL && strcmp(reader, m->from) == 0;
    text_printf(out, "<article class=\"message%s\" id=\"m%s\" data-id=\"%s\"", mine ? " mine" : "",
                m->id, m->id);
    text_puts(out, " data-from=\"");
    text_html(out, m->from);
    text_puts(out, "\">\n  <span class=\"avatar\" data-name=\"");
    text_html(out, m->from);
    text_puts(out, "\" aria-hidden=\"true\"></span>\n  <header><b class=\"from\" dir=\"auto\">");
    text_html(out, m->from);
    text_printf(out, "</b> <time datetime=\"%s\">%s UTC</time></header>\n", m->time, m->clock);
    text_puts(out, "  <div class=\"body\"><p dir=\"auto\">");
    text_html(out, m->body);
    text_puts(out, "</p></div>\n</article>\n");
}

static shared_t *to_json(const message_t *m, const char *room) {
    text_t json = {0}, html = {0};
    message_html(&html, m, NULL);
    text_printf(&json, "{\"type\":\"message\",\"id\":\"%s\"", m->id);
    text_printf(&json, ",\"time\":\"%s\",\"room\":", m->time);
    text_json(&json, room);
    text_puts(&json, ",\"from\":");
    text_json(&json, m->from);
    text_puts(&json, ",\"body\":");
    text_json(&json, m->body);
    text_puts(&json, ",\"nonce\":");
    text_json(&json, m->nonce);
    text_puts(&json, ",\"html\":");
    text_json(&json, text_string(&html));
    text_puts(&json, "}");
    json.failed |= html.failed;
    text_free(&html);
    return shared_make(&json);
}

/* Ids begin with the start of the process, so that those of a later run come after those of
 * this. */
static void next_id(char id[ID_SIZE]) {
    static long long run;
    static unsigned long said;
    if (run == 0) {
        struct timespec begun;
        clock_gettime(CLOCK_REALTIME, &begun);
        run = (long long)begun.tv_sec * 1000 + begun.tv_nsec / 1000000;
    }
    snprintf(id, ID_SIZE, "%lld-%08lu", run, ++said);
}

message_t *message_make(const char *room, const char *from, const char *body, const char *nonce) {
    size_t from_size = strlen(from) + 1, body_size = strlen(body) + 1;
    message_t *m = calloc(1, sizeof *m + from_size + body_size);
    time_t seconds = time(NULL);
    struct tm utc;
    if (m == NULL) return NULL;
    gmtime_r(&seconds, &utc);
    strftime(m->time, sizeof m->time, "%Y-%m-%dT%H:%M:%SZ", &utc);
    strftime(m->clock, sizeof m->clock, "%H:%M", &utc);
    next_id(m->id);
    snprintf(m->nonce, sizeof m->nonce, "%s", nonce);
    m->from = memcpy(m->strings, from, from_size);
    m->body = memcpy(m->strings + from_size, body, body_size);
    m->json = to_json(m, room);
    if (m->json == NULL) {
        free(m);
        return NULL;
    }
    m->size = sizeof *m + from_size + body_size + m->json->len;
    return m;
}

void message_free(message_t *m) {
    shared_release(m->json);
    free(m);
}
