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
    m->post_count = posts;
    m->hash = 0;
    char *frame = (char *)m + fixed;
    size_t head = gale__ws_frame_write(frame, kind, true, false, bytes.len);
    if (bytes.len > 0) memcpy(frame + head, bytes.ptr, bytes.len);
    m->frame = gale_str(frame, head + bytes.len);
    char *name = frame + m->frame.len;
    if (topic.len > 0) memcpy(name, topic.ptr, topic.len);
    m->topic = gale_str(name, topic.len);
    return m;
}

void gale__message_unref(gale__message_t *m) {
    if (atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) == 1) gale__free(m);
}

void gale__message_release(void *m) {
    gale__message_unref(m);
}
