#include "ws_coders.h"

#include <string.h>

#include "mem.h"
#include "ws_frame.h"

void gale__ws_coders_init(gale__ws_coders_t *c, const gale_config_t *config) {
    *c = (gale__ws_coders_t){.memory.limit = SIZE_MAX,
                             .kept.limit = config->ws_deflate_memory,
                             .level = (uint8_t)config->ws_deflate_level};
}

void gale__ws_coders_clear(gale__ws_coders_t *c) {
    for (size_t i = 0; i < sizeof c->deflate / sizeof c->deflate[0]; i++) {
        gale__deflate_free(c->deflate[i]);
        c->deflate[i] = NULL;
    }
    gale__inflate_free(c->inflate);
    c->inflate = NULL;
}

gale__deflate_t *gale__ws_coders_deflate(gale__ws_coders_t *c, unsigned window_bits) {
    gale__deflate_t **at = &c->deflate[window_bits - GALE__WS_LEAST_BITS];
    if (*at == NULL) *at = gale__ws_deflate_new(window_bits, c->level, &c->memory);
    return *at;
}

gale__inflate_t *gale__ws_coders_inflate(gale__ws_coders_t *c) {
    if (c->inflate == NULL) {
        c->inflate = gale__inflate_new(GALE__FORMAT_RAW, GALE__WS_MOST_BITS, &c->memory);
    } else {
        gale__inflate_reset(c->inflate);
    }
    return c->inflate;
}

/* -------------------------------------------------------------------------------- kept windows */

static size_t cost_of(const gale__ws_deflate_t *a) {
    size_t cost = 0;
    if (a->server_takeover) cost += gale__ws_deflate_cost(a->server_bits);
    if (a->client_takeover) cost += gale__ws_inflate_cost(a->client_bits);
    return cost;
}

gale__ws_windows_t *gale__ws_windows_new(gale__ws_coders_t *c, const gale__ws_deflate_t *agreed) {
    size_t cost = sizeof(gale__ws_windows_t) + cost_of(agreed);
    if (cost > c->kept.limit - c->kept.used) return NULL;
    gale__ws_windows_t *w = gale__malloc(sizeof *w);
    if (w == NULL) return NULL;
    *w = (gale__ws_windows_t){.reserved = cost,
                              .send_bits = agreed->server_bits,
                              .receive_bits = agreed->client_bits,
                              .deflate_kept = agreed->server_takeover,
                              .inflate_kept = agreed->client_takeover};
    c->kept.used += cost;
    return w;
}

gale__deflate_t *gale__ws_windows_deflate(gale__ws_coders_t *c, gale__ws_windows_t *w) {
    if (w->deflate == NULL && w->deflate_kept) {
        w->deflate = gale__ws_deflate_new(w->send_bits, c->level, &c->memory);
    }
    if (w->deflate_stale && w->deflate != NULL) gale__deflate_reset(w->deflate);
    w->deflate_stale = false;
    return w->deflate;
}

gale__inflate_t *gale__ws_windows_inflate(gale__ws_coders_t *c, gale__ws_windows_t *w) {
    if (w->inflate == NULL && w->inflate_kept) {
        w->inflate = gale__inflate_new(GALE__FORMAT_RAW, w->receive_bits, &c->memory);
    }
    return w->inflate;
}

void gale__ws_windows_free(gale__ws_coders_t *c, gale__ws_windows_t *w) {
    if (w == NULL) return;
    gale__deflate_free(w->deflate);
    gale__inflate_free(w->inflate);
    c->kept.used -= w->reserved;
    gale__free(w);
}

/* --------------------------------------------------------------------------------------- frames */

bool gale__ws_deflate_frame(gale__deflate_t *d, bool takeover, int kind, gale_str_t message,
                            gale_buf_t *frame) {
    enum { HEAD = 10 }; /* the longest; a shorter one stands at the end of it */
    char *out = gale__malloc(HEAD + GALE__WS_DEFLATE_ROOM(message.len));
    if (out == NULL) return false;
    size_t size = gale__ws_deflate_message(d, takeover, message, out + HEAD);
    if (size == 0) {
        gale__free(out);
        return false;
    }
    char *fitted = gale__realloc(out, HEAD + size);
    if (fitted != NULL) out = fitted;
    char head[HEAD];
    size_t n = gale__ws_frame_write(head, kind, true, true, size);
    memcpy(out + HEAD - n, head, n);
    *frame = (gale_buf_t){out + HEAD - n, n + size, gale__free, out};
    return true;
}

bool gale__ws_compress(gale__ws_coders_t *c, unsigned window_bits, int kind, gale_str_t message,
                       gale_buf_t *frame) {
    gale__deflate_t *d = message.len == 0 ? NULL : gale__ws_coders_deflate(c, window_bits);
    return d != NULL && gale__ws_deflate_frame(d, false, kind, message, frame);
}
