/* SipHash-2-4 against the vectors of its authors' reference implementation (key 00..0f, input
 * 00..n-1). */
#include "siphash.h"

#include "test.h"

TEST(siphash, reference_vectors) {
    static const uint64_t want[] = {
        0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d,
        0xcf2794e0277187b7, 0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137,
        0x93f5f5799a932462, 0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7,
        0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee, 0xa129ca6149be45e5};
    const gale__sip_key_t key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    char in[16];
    for (size_t i = 0; i < 16; i++) {
        in[i] = (char)i;
        CHECK_EQ_UINT(gale__siphash(key, gale_str(in, i)), want[i]);
    }
}

TEST(siphash, another_key_gives_another_hash) {
    gale_str_t in = gale_cstr("127.0.0.1");
    uint64_t hash = gale__siphash((gale__sip_key_t){1, 2}, in);
    CHECK(hash != gale__siphash((gale__sip_key_t){1, 3}, in));
    CHECK(hash != gale__siphash((gale__sip_key_t){0, 2}, in));
    CHECK(hash == gale__siphash((gale__sip_key_t){1, 2}, in));
}
