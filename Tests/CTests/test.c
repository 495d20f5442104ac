/*
 * The runner behind test.h: keeps the registered tests in order of suite and name, so that the
 * order of linking doesn't matter, runs those that match a filter, and counts.
 */
#include "test.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static test_case_t *first_test;
static const test_case_t *running;
static unsigned failures;

static int compare(const test_case_t *a, const test_case_t *b) {
    int by_suite = strcmp(a->suite, b->suite);
    return by_suite != 0 ? by_suite : strcmp(a->name, b->name);
}

void test_register(test_case_t *test) {
    test_case_t **place = &first_test;
    while (*place != NULL && compare(*place, test) < 0) place = &(*place)->next;
    test->next = *place;
    *place = test;
}

unsigned test_failures(void) {
    return failures;
}

void test_fail(const char *file, int line, const char *format, ...) {
    failures++;
    fprintf(stderr, "%s:%d: %s.%s: ", file, line, running->suite, running->name);
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

void test_check_int(const char *file, int line, const char *text, long long got, long long want) {
    if (got != want) test_fail(file, line, "%s is %lld, want %lld", text, got, want);
}

void test_check_uint(const char *file, int line, const char *text, unsigned long long got,
                     unsigned long long want) {
    if (got != want) test_fail(file, line, "%s is %llu, want %llu", text, got, want);
}

/* Makes bytes readable: control characters and bytes above ASCII as \xNN, at most 200 of them. */
static const char *readable(gale_str_t s, char out[1024]) {
    size_t at = 0;
    if (s.ptr == NULL) return "(null)";
    for (size_t i = 0; i < s.len && i < 200; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c >= 0x20 && c < 0x7f && c != '\\') {
            out[at++] = (char)c;
        } else {
            at += (size_t)snprintf(out + at, 5, "\\x%02x", c);
        }
    }
    memcpy(out + at, s.len > 200 ? "..." : "", s.len > 200 ? 4 : 1);
    return out;
}

void test_check_str(const char *file, int line, const char *text, gale_str_t got, gale_str_t want) {
    if (got.len == want.len && (got.len == 0 || memcmp(got.ptr, want.ptr, got.len) == 0)) return;
    char a[1024], b[1024];
    test_fail(file, line, "%s is \"%s\" (%zu bytes), want \"%s\" (%zu bytes)", text,
              readable(got, a), got.len, readable(want, b), want.len);
}

void test_check_mem(const char *file, int line, const char *text, const void *got, const void *want,
                    size_t len) {
    test_check_str(file, line, text, gale_str(got, len), gale_str(want, len));
}

static bool wanted(const test_case_t *test, int filters, char **filter) {
    char full[256];
    snprintf(full, sizeof full, "%s.%s", test->suite, test->name);
    for (int i = 0; i < filters; i++) {
        if (strstr(full, filter[i]) != NULL) return true;
    }
    return filters == 0;
}

int test_main(int argc, char **argv) {
    bool list = false, verbose = false;
    int at = 1;
    for (; at < argc && argv[at][0] == '-'; at++) {
        list |= strcmp(argv[at], "-l") == 0;
        verbose |= strcmp(argv[at], "-v") == 0;
    }
    unsigned passed = 0, failed = 0;
    for (running = first_test; running != NULL; running = running->next) {
        if (!wanted(running, argc - at, argv + at)) continue;
        if (list || verbose) fprintf(stderr, "%s.%s\n", running->suite, running->name);
        if (list) continue;
        failures = 0;
        running->run();
        *(failures == 0 ? &passed : &failed) += 1;
    }
    fflush(stderr);
    if (!list) printf("%u passed, %u failed\n", passed, failed);
    /* A filter that matches nothing is a mistake, not a success. */
    return !list && (failed > 0 || passed == 0) ? EXIT_FAILURE : EXIT_SUCCESS;
}
