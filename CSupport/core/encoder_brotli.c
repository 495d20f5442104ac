/*
 * br (RFC 7932). An encoder of libbrotli cannot be used twice: a reset makes a new one, in the
 * memory of the last.
 *
 * It must not be told that memory has run out: as the distributions build it, it then ends the
 * process. So an allocation that fails does not return to it but jumps out of it; the state is
 * given up, and all of it goes with the heap.
 */
#include "encoder.h"

#if GALE_WITH_BROTLI
#include <brotli/encode.h>
#include <setjmp.h>

#include "mem.h"

enum { WINDOW_BITS = 16 }; /* larger ones take many times the memory of a state (2 MiB) */

typedef struct {
    gale__encoder_t base;
    BrotliEncoderState *state; /* null: given up */
    jmp_buf no_memory;
} brotli_t;

static void *take(void *encoder, size_t size) {
    brotli_t *e = encoder;
    void *p = gale__coder_alloc(&e->base.heap, size);
    if (p == NULL) longjmp(e->no_memory, 1);
    return p;
}

static void give(void *encoder, void *p) {
    gale__coder_release(&((brotli_t *)encoder)->base.heap, p);
}

static bool begin(brotli_t *e) {
    static const uint8_t quality[] = {1, 1, 2, 3, 4, 4, 5, 6, 7, 9};
    e->state = NULL;
    if (setjmp(e->no_memory) != 0) return false;
    e->state = BrotliEncoderCreateInstance(take, give, e);
    if (e->state == NULL) return false;
    BrotliEncoderSetParameter(e->state, BROTLI_PARAM_QUALITY, quality[e->base.level]);
    BrotliEncoderSetParameter(e->state, BROTLI_PARAM_LGWIN, WINDOW_BITS);
    return true;
}

static void brotli_free(gale__encoder_t *base) {
    brotli_t *e = (brotli_t *)base;
    gale__coder_heap_clear(&e->base.heap);
    gale__free(e);
}

static gale__encoder_t *make(gale__coding_t coding, unsigned level, gale__budget_t *budget) {
    (void)coding;
    brotli_t *e = gale__calloc(1, sizeof *e);
    if (e == NULL) return NULL;
    gale__coder_heap_init(&e->base.heap, budget);
    e->base.level = (uint8_t)level;
    if (!begin(e)) {
        brotli_free(&e->base);
        return NULL;
    }
    return &e->base;
}

static bool reset(gale__encoder_t *base) {
    brotli_t *e = (brotli_t *)base;
    if (e->state != NULL) BrotliEncoderDestroyInstance(e->state);
    return begin(e);
}

static int run(BrotliEncoderState *s, gale__coder_io_t *io, int request) {
    static const BrotliEncoderOperation operation[] = {
        BROTLI_OPERATION_PROCESS, BROTLI_OPERATION_FLUSH, BROTLI_OPERATION_FINISH};
    for (;;) {
        const uint8_t *in = (const uint8_t *)io->in;
        uint8_t *out = (uint8_t *)io->out;
        if (!BrotliEncoderCompressStream(s, operation[request], &io->in_len, &in, &io->out_len,
                                         &out, NULL)) {
            return GALE__CODER_NOMEM;
        }
        io->in = (const char *)in;
        io->out = (char *)out;
        bool more = BrotliEncoderHasMoreOutput(s) || io->in_len > 0 ||
                    (request == GALE__CODER_FINISH && !BrotliEncoderIsFinished(s));
        if (!more) return GALE__CODER_DONE;
        if (io->out_len == 0) return GALE__CODER_FULL;
    }
}

static int step(gale__encoder_t *base, gale__coder_io_t *io, int request) {
    brotli_t *e = (brotli_t *)base;
    if (e->state == NULL) return GALE__CODER_NOMEM;
    if (setjmp(e->no_memory) != 0) {
        ((brotli_t *)base)->state = NULL;
        return GALE__CODER_NOMEM;
    }
    return run(e->state, io, request);
}

static size_t bytes(const gale__encoder_t *e) {
    return sizeof(brotli_t) + e->heap.bytes;
}

const gale__encoder_kind_t gale__encoder_brotli = {make, reset, step, bytes, brotli_free};
#endif
