/*
 * A small test runner. A test file includes this, says TEST(suite, name) { ... } and is linked with
 * test.c and main.c; nothing else lists it. A failed CHECK is reported with file and line and the
 * test goes on; REQUIRE leaves the test. The runner takes parts of "suite.name" as filters, "-l" to
 * list and "-v" to name what it runs; its last line is "N passed, N failed", and it exits with 1 if
 * a test failed.
 */
#ifndef GALE_TESTS_TEST_H
#define GALE_TESTS_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "gale.h"

typedef struct test_case {
    const char *suite, *name;
    void (*run)(void);
    struct test_case *next;
} test_case_t;

void test_register(test_case_t *test);
int test_main(int argc, char **argv);

/* Failures of the running test, so that a table-driven test can say more about a failed row. */
unsigned test_failures(void);
void test_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void test_check_int(const char *file, int line, const char *text, long long got, long long want);
void test_check_uint(const char *file, int line, const char *text, unsigned long long got,
                     unsigned long long want);
void test_check_str(const char *file, int line, const char *text, gale_str_t got, gale_str_t want);
void test_check_mem(const char *file, int line, const char *text, const void *got, const void *want,
                    size_t len);

#define TEST(suite, name)                                                                          \
    static void test_##suite##_##name(void);                                                       \
    __attribute__((constructor)) static void test_register_##suite##_##name(void) {                \
        static test_case_t test = {#suite, #name, test_##suite##_##name, NULL};                    \
        test_register(&test);                                                                      \
    }                                                                                              \
    static void test_##suite##_##name(void)

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) test_fail(__FILE__, __LINE__, "%s", #condition);                         \
    } while (0)
/* As CHECK, and leaves the function when it fails. */
#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            test_fail(__FILE__, __LINE__, "%s", #condition);                                       \
            return;                                                                                \
        }                                                                                          \
    } while (0)
/* As CHECK, with a message of printf's kind in place of the condition's text. */
#define CHECK_MSG(condition, ...)                                                                  \
    do {                                                                                           \
        if (!(condition)) test_fail(__FILE__, __LINE__, __VA_ARGS__);                              \
    } while (0)
#define CHECK_EQ_INT(got, want) test_check_int(__FILE__, __LINE__, #got, (got), (want))
#define CHECK_EQ_UINT(got, want) test_check_uint(__FILE__, __LINE__, #got, (got), (want))
/* `got` is a gale_str_t, `want` a string literal, which may hold NUL bytes. */
#define CHECK_EQ_STR(got, want)                                                                    \
    test_check_str(__FILE__, __LINE__, #got, (got), gale_str("" want, sizeof(want) - 1))
/* Both are gale_str_t. */
#define CHECK_EQ_STRS(got, want) test_check_str(__FILE__, __LINE__, #got, (got), (want))
#define CHECK_EQ_MEM(got, want, len) test_check_mem(__FILE__, __LINE__, #got, (got), (want), (len))

#endif
