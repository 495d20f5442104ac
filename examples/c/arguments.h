/* What the examples' command lines have in common. The program ends here when something is wrong:
 * one line that names it, and status 2. */
#ifndef EXAMPLES_ARGUMENTS_H
#define EXAMPLES_ARGUMENTS_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline _Noreturn void bad_usage(const char *program, const char *what, const char *word) {
    fprintf(stderr, "%s: %s '%s'; --help says what it takes\n", program, what, word);
    exit(2);
}

/* Answers --help with the usage, and ends the program with 0. */
static inline void take_help(const char *word, const char *usage) {
    if (strcmp(word, "--help") != 0) return;
    fputs(usage, stdout);
    exit(0);
}

/* At most so many words and no flags, but --help. */
static inline void take_words(const char *program, const char *usage, int argc, char **argv,
                              int most) {
    for (int i = 1; i < argc; i++) {
        take_help(argv[i], usage);
        if (argv[i][0] == '-' || i > most) bad_usage(program, "unknown argument", argv[i]);
    }
}

/* Gives the text back, which is a port's number; 0 means any that is free. */
static inline const char *take_port(const char *program, const char *text) {
    bool is_port = *text != '\0' && strlen(text) <= 5 &&
                   strspn(text, "0123456789") == strlen(text) && atoi(text) <= 65535;
    if (!is_port) bad_usage(program, "not a port:", text);
    return text;
}

#endif
