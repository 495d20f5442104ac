// A parser of request heads under measurement.
#ifndef BENCH_PARSER_H
#define BENCH_PARSER_H

#include <stdbool.h>
#include <stddef.h>

// Parses one request; false when it doesn't take exactly the bytes given.
bool parse(const char *bytes, size_t size);

#endif
