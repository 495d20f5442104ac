/* Origins and patterns for them: WS-05. */
#include "origin.h"

#include "test.h"

TEST(origin, patterns_WS_05) {
    static const struct {
        const char *origin, *pattern;
        bool matches;
    } rows[] = {
        {"https://example.com", "https://example.com", true},
        {"https://EXAMPLE.com", "HTTPS://example.COM", true},
        {"https://example.com:443", "https://example.com", true},
        {"https://example.com", "https://example.com:443", true},
        {"http://example.com:80", "http://example.com", true},
        {"http://example.com:443", "http://example.com", false},
        {"https://example.com:8443", "https://example.com", false},
        {"https://example.com:8443", "https://example.com:8443", true},
        {"http://example.com", "https://example.com", false},
        {"https://example.com.evil", "https://example.com", false},
        {"https://evil-example.com", "https://example.com", false},
        {"https://example.co", "https://example.com", false},
        {"https://a.example.com", "https://example.com", false},
        {"https://a.example.com", "https://*.example.com", true},
        {"https://a.b.example.com", "https://*.example.com", true},
        {"https://a.example.com:444", "https://*.example.com:444", true},
        {"https://a.example.com:444", "https://*.example.com", false},
        {"https://example.com", "https://*.example.com", false},
        {"https://.example.com", "https://*.example.com", false},
        {"https://evilexample.com", "https://*.example.com", false},
        {"https://evil.com/.example.com", "https://*.example.com", false},
        {"https://evil.com#.example.com", "https://*.example.com", false},
        {"https://evil.com@a.example.com", "https://*.example.com", false},
        {"http://a.example.com", "https://*.example.com", false},
        {"https://a.example.com", "https://*.", false},
        {"app://thing", "app://thing", true},
        {"chrome-extension://abc", "chrome-extension://abc", true},
        {"null", "https://example.com", false},
        {"null", "null", false},
        {"null", "*", true},
        {"", "*", true},
        {"", "", false},
        {"https://", "https://", false},
        {"://x", "://x", false},
        {"https:/x", "https:/x", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool got = gale__origin_matches(gale_cstr(rows[i].origin), gale_cstr(rows[i].pattern));
        CHECK_MSG(got == rows[i].matches, "%s for %s", rows[i].origin, rows[i].pattern);
    }
}
