/*
 * A worker's encoders and decoders, kept for use again, the memory they may take in all, and the
 * pieces of memory that coded bytes are put into.
 */
#ifndef GALE_IO_CODERS_H
#define GALE_IO_CODERS_H

#include "decoder.h"
#include "encoder.h"
#include "gale.h"

enum { GALE__PIECE = 16384 };

typedef struct gale__piece gale__piece_t;

typedef struct {
    gale__budget_t budget;
    gale__encoder_t *encoders[GALE__CODINGS]; /* idle ones */
    gale__decoder_t *decoders[GALE__CODINGS];
    uint8_t encoder_count[GALE__CODINGS];
    uint8_t decoder_count[GALE__CODINGS];
    gale__piece_t *pieces; /* free ones */
    unsigned piece_count;
} gale__coders_t;

struct gale__piece {
    gale__piece_t *next;
    gale__coders_t *owner;
    char bytes[GALE__PIECE];
};

/* One that is ready for a new body; null without memory. */
gale__encoder_t *gale__coders_encoder(gale__coders_t *c, gale__coding_t coding, unsigned level);
gale__decoder_t *gale__coders_decoder(gale__coders_t *c, gale__coding_t coding);
/* Gives it back. broken: it had no memory in the middle. */
void gale__coders_encoder_back(gale__coders_t *c, gale__encoder_t *e, bool broken);
void gale__coders_decoder_back(gale__coders_t *c, gale__decoder_t *d);

/* Null without memory. */
gale__piece_t *gale__coders_piece(gale__coders_t *c);
void gale__coders_piece_back(gale__piece_t *p);
/* The first n bytes of it as an owned buffer, which gives it back. */
gale_buf_t gale__coders_piece_buf(gale__piece_t *p, size_t n);

/* Frees all that is idle; nothing is in use any more. */
void gale__coders_clear(gale__coders_t *c);

#endif
