/*
 * libFuzzer target of IP addresses, networks and lists of them: what is read is an address to the C
 * library as well and is written and read back as the same; a network has its own address; a list is
 * as good as each of its parts.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "ip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) abort();                                                                 \
    } while (0)

static void check_address(gale_str_t text) {
    gale__ip_t ip, back;
    char out[GALE__IP_TEXT], copy[GALE__IP_TEXT + 1];
    bool is = gale__ip_parse(text, &ip);
    if (text.len >= GALE__IP_TEXT) {
        MUST(!is);
        return;
    }
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    uint8_t bytes[16];
    bool v4 = inet_pton(AF_INET, copy, bytes) == 1,
         v6 = !v4 && inet_pton(AF_INET6, copy, bytes) == 1;
    bool whole = strlen(copy) == text.len;
    MUST(is == (whole && (v4 || v6)));
    if (!is) return;
    gale__ip_t want = v4 ? gale__ip_v4(bytes) : gale__ip_v6(bytes);
    MUST(memcmp(&ip, &want, sizeof ip) == 0);
    size_t len = gale__ip_format(&ip, out);
    MUST(len < sizeof out && out[len] == '\0');
    MUST(gale__ip_parse(gale_str(out, len), &back) && memcmp(&ip, &back, sizeof ip) == 0);
}

static void check_networks(gale_str_t text) {
    gale__network_t networks[8], one;
    int count = gale__networks_parse(text, networks, 8);
    MUST(count >= -1 && gale__networks_parse(text, NULL, 0) == count);
    for (int i = 0; i < count && i < 8; i++) {
        MUST(networks[i].prefix <= 128);
        MUST(gale__networks_have(&networks[i], 1, &networks[i].ip));
    }
    if (gale__network_parse(text, &one)) {
        MUST(count == 1 && memcmp(&one, networks, sizeof one) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *copy = malloc(size > 0 ? size : 1);
    MUST(copy != NULL);
    if (size > 0) memcpy(copy, data, size);
    check_address(gale_str(copy, size));
    check_networks(gale_str(copy, size));
    free(copy);
    return 0;
}
