/* br (RFC 7932). A decoder of libbrotli cannot be used twice: a reset makes a new one, in the
 * memory of the last. Its window, up to 16 MiB as the client says, is what the budget is for. */
#include "decoder.h"

#if GALE_WITH_BROTLI
#include <brotli/decode.h>

#include "mem.h"

typedef struct {
    gale__decoder_t base;
    BrotliDecoderState *state;
} brotli_t;

static void *take(void *heap, size_t size) {
    return gale__coder_alloc(heap, size);
}

static void give(void *heap, void *p) {
    gale__coder_release(heap, p);
}

static bool begin(brotli_t *d) {
    d->state = BrotliDecoderCreateInstance(take, give, &d->base.heap);
    return d->state != NULL;
}

static void brotli_free(gale__decoder_t *base) {
    brotli_t *d = (brotli_t *)base;
    if (d->state != NULL) BrotliDecoderDestroyInstance(d->state);
    gale__coder_heap_clear(&d->base.heap);
    gale__free(d);
}

static gale__decoder_t *make(gale__coding_t coding, gale__budget_t *budget) {
    (void)coding;
    brotli_t *d = gale__calloc(1, sizeof *d);
    if (d == NULL) return NULL;
    gale__coder_heap_init(&d->base.heap, budget);
    if (!begin(d)) {
        brotli_free(&d->base);
        return NULL;
    }
    return &d->base;
}

static bool reset(gale__decoder_t *base) {
    brotli_t *d = (brotli_t *)base;
    BrotliDecoderDestroyInstance(d->state);
    d->base.heap.starved = false;
    return begin(d);
}

static int step(gale__decoder_t *d, gale__coder_io_t *io) {
    const uint8_t *in = (const uint8_t *)io->in;
    uint8_t *out = (uint8_t *)io->out;
    BrotliDecoderResult result = BrotliDecoderDecompressStream(((brotli_t *)d)->state, &io->in_len,
                                                               &in, &io->out_len, &out, NULL);
    io->in = (const char *)in;
    io->out = (char *)out;
    d->open = true;
    switch (result) {
    case BROTLI_DECODER_RESULT_SUCCESS:
        d->open = false;
        d->over = true;
        return io->in_len > 0 ? GALE__CODER_BAD : GALE__CODER_DONE;
    case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT:
        return GALE__CODER_DONE;
    case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT:
        return GALE__CODER_FULL;
    default:
        return d->heap.starved ? GALE__CODER_NOMEM : GALE__CODER_BAD;
    }
}

static size_t bytes(const gale__decoder_t *d) {
    return sizeof(brotli_t) + d->heap.bytes;
}

const gale__decoder_kind_t gale__decoder_brotli = {make, reset, step, bytes, brotli_free};
#endif
