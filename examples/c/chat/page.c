#include "page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {[PAGE_LOGIN] = "login.html", [PAGE_ROOM] = "room.html"};
enum { PAGES = sizeof names / sizeof names[0], MAX_FILE = 1 << 20 };

static char *pages[PAGES];

/* A file as a string; null if it cannot be read. */
static char *read_file(const char *path) {
    text_t text = {0};
    char part[4096];
    size_t len;
    FILE *file = fopen(path, "rb");
    if (file == NULL) return NULL;
    while (text.len < MAX_FILE && (len = fread(part, 1, sizeof part, file)) > 0) {
        text_add(&text, part, len);
    }
    text_add(&text, "", 1);
    bool good = ferror(file) == 0 && !text.failed;
    fclose(file);
    if (good) return text.bytes;
    text_free(&text);
    return NULL;
}

const char *pages_open(const char *folder) {
    for (size_t i = 0; i < PAGES; i++) {
        char path[4096];
        int len = snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        pages[i] = len < (int)sizeof path ? read_file(path) : NULL;
        if (pages[i] == NULL) return names[i];
    }
    return NULL;
}

void pages_close(void) {
    for (size_t i = 0; i < PAGES; i++) {
        free(pages[i]);
        pages[i] = NULL;
    }
}

void page_write(text_t *out, page_t page, const slot_t *slots, size_t count) {
    const char *at = pages[page], *open, *close;
    while ((open = strstr(at, "{{")) != NULL && (close = strstr(open, "}}")) != NULL) {
        size_t len = (size_t)(close - open) - 2;
        text_add(out, at, (size_t)(open - at));
        for (size_t i = 0; i < count; i++) {
            if (strlen(slots[i].name) != len || memcmp(slots[i].name, open + 2, len) != 0) continue;
            if (slots[i].is_html) {
                text_puts(out, slots[i].text);
            } else {
                text_html(out, slots[i].text);
            }
        }
        at = close + 2;
    }
    text_puts(out, at);
}
