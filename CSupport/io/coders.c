#include "coders.h"

#include "mem.h"

enum {
    IDLE = 4,             /* coders kept of a kind */
    IDLE_BYTES = 4 << 20, /* a larger one is not kept */
    FREE_PIECES = 16
};

gale__encoder_t *gale__coders_encoder(gale__coders_t *c, gale__coding_t coding, unsigned level) {
    gale__encoder_t *e = c->encoders[coding];
    if (e == NULL) return gale__encoder_new(coding, level, &c->budget);
    c->encoders[coding] = e->next;
    c->encoder_count[coding]--;
    if (gale__encoder_reset(e)) return e;
    gale__encoder_free(e);
    return NULL;
}

void gale__coders_encoder_back(gale__coders_t *c, gale__encoder_t *e, bool broken) {
    if (broken || c->encoder_count[e->coding] >= IDLE || gale__encoder_bytes(e) > IDLE_BYTES) {
        gale__encoder_free(e);
        return;
    }
    e->next = c->encoders[e->coding];
    c->encoders[e->coding] = e;
    c->encoder_count[e->coding]++;
}

gale__decoder_t *gale__coders_decoder(gale__coders_t *c, gale__coding_t coding) {
    gale__decoder_t *d = c->decoders[coding];
    if (d == NULL) return gale__decoder_new(coding, &c->budget);
    c->decoders[coding] = d->next;
    c->decoder_count[coding]--;
    if (gale__decoder_reset(d)) return d;
    gale__decoder_free(d);
    return NULL;
}

void gale__coders_decoder_back(gale__coders_t *c, gale__decoder_t *d) {
    if (c->decoder_count[d->coding] >= IDLE || gale__decoder_bytes(d) > IDLE_BYTES) {
        gale__decoder_free(d);
        return;
    }
    d->next = c->decoders[d->coding];
    c->decoders[d->coding] = d;
    c->decoder_count[d->coding]++;
}

gale__piece_t *gale__coders_piece(gale__coders_t *c) {
    gale__piece_t *p = c->pieces;
    if (p != NULL) {
        c->pieces = p->next;
        c->piece_count--;
        return p;
    }
    p = gale__malloc(sizeof *p);
    if (p != NULL) p->owner = c;
    return p;
}

void gale__coders_piece_back(gale__piece_t *p) {
    gale__coders_t *c = p->owner;
    if (c->piece_count >= FREE_PIECES) {
        gale__free(p);
        return;
    }
    p->next = c->pieces;
    c->pieces = p;
    c->piece_count++;
}

static void free_piece(void *piece) {
    gale__coders_piece_back(piece);
}

gale_buf_t gale__coders_piece_buf(gale__piece_t *p, size_t n) {
    return (gale_buf_t){p->bytes, n, free_piece, p};
}

void gale__coders_clear(gale__coders_t *c) {
    for (int i = 0; i < GALE__CODINGS; i++) {
        while (c->encoders[i] != NULL) {
            gale__encoder_t *e = c->encoders[i];
            c->encoders[i] = e->next;
            gale__encoder_free(e);
        }
        while (c->decoders[i] != NULL) {
            gale__decoder_t *d = c->decoders[i];
            c->decoders[i] = d->next;
            gale__decoder_free(d);
        }
        c->encoder_count[i] = c->decoder_count[i] = 0;
    }
    while (c->pieces != NULL) {
        gale__piece_t *p = c->pieces;
        c->pieces = p->next;
        gale__free(p);
    }
    c->piece_count = 0;
}
