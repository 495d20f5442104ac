#include "message.h"

#include <string.h>

#include "mem.h"
#include "ws_frame.h"

enum { HEAD_MAX = 10 };

gale__message_t *gale__message_new(int kind, gale_str_t bytes, gale_str_t topic, uint32_t posts) {
    gale__message_t *m;
    size_t fixed = sizeof *m + posts * sizeof m->post[0];
    if (bytes.len > SIZE_MAX - fixed - HEAD_MAX - topic.len) return NULL;
    m = gale__malloc(fixed + HEAD_MAX + bytes.len + topic.len);
    if (m == NULL) return NULL;
    atomic_init(&m->refs, 1);
    m->kind = kind;
    atomic_init(&m->deflated, NULL);
    m->hash = 0;
    char *frame = (char *)m + fixed;
    size_t head = gale__ws_frame_write(frame, kind & ~GALE_WS_PLAIN, true, false, bytes.len);
    if (bytes.len > 0) memcpy(frame + head, bytes.ptr, bytes.len);
    m->frame = gale_str(frame, head + bytes.len);
    m->payload_len = bytes.len;
    char *name = frame + m->frame.len;
    if (topic.len > 0) memcpy(name, topic.ptr, topic.len);
    m->topic = gale_str(name, topic.len);
    return m;
}

/* Of messages that compressing makes no smaller. */
static gale_buf_t no_frame;

static void free_deflated(gale_buf_t *d) {
    if (d == NULL || d == &no_frame) return;
    gale_buf_free(*d);
    gale__free(d);
}

static gale_buf_t *deflate(const gale__message_t *m, gale__ws_coders_t *coders, unsigned bits) {
    gale_str_t payload = gale_str(m->frame.ptr + m->frame.len - m->payload_len, m->payload_len);
    gale_buf_t *d = gale__malloc(sizeof *d);
    if (d == NULL) return &no_frame;
    if (gale__ws_compress(coders, bits, m->kind, payload, d)) return d;
    gale__free(d);
    return &no_frame;
}

void gale__message_deflate(gale__message_t *m, gale__ws_coders_t *coders,
                           const gale_config_t *config) {
    if (atomic_load_explicit(&m->deflated, memory_order_acquire) != NULL) return;
    bool wanted = (m->kind & GALE_WS_PLAIN) == 0 && m->payload_len >= config->ws_deflate_min_bytes;
    gale_buf_t *d = wanted ? deflate(m, coders, config->ws_deflate_window_bits) : &no_frame;
    gale_buf_t *none = NULL;
    /* Another worker may have been faster. */
    if (!atomic_compare_exchange_strong(&m->deflated, &none, d)) free_deflated(d);
}

void gale__message_unref(gale__message_t *m) {
    if (atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) > 1) return;
    free_deflated(atomic_load_explicit(&m->deflated, memory_order_relaxed));
    gale__free(m);
}

void gale__message_release(void *m) {
    gale__message_unref(m);
}
