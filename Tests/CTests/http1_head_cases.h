/*
 * Request heads for http1_head_test.c: what each is about, the id of the vector of the conformance
 * corpus it comes from (which names the project and the RFC section), the bytes, and the status it
 * is refused with, or 0. A selection; the corpus itself is run against the whole server.
 */
/* clang-format off */

/* valid */
HEAD("llhttp-001", "PUT /url HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n", 0)
HEAD("llhttp-003", "PUT /url HTTP/1.0\r\n\r\n", 0)
HEAD("llhttp-007", "PUT /url HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 0)
HEAD("llhttp-010",
     "POST / HTTP/1.1\r\nHost: www.example.com\r\n"
     "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 4\r\n"
     "Connection: close\t\r\n\r\n", 0)
HEAD("llhttp-017",
     "PUT /url HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\n"
     "Content-Length: 4\r\nUpgrade: ws\r\n\r\n", 0)
HEAD("llhttp-019",
     "POST /demo HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\n"
     "Upgrade: HTTP/2.0\r\nContent-Length: 15\r\n\r\n", 0)
HEAD("llhttp-020", "PUT /url HTTP/1.1\r\nHost: localhost\r\nContent-Length: 003\r\n\r\n", 0)
HEAD("llhttp-026",
     "GET /get_funky_content_length_body_hello HTTP/1.0\r\nconTENT-Length: 5\r\n\r\n", 0)
HEAD("llhttp-093",
     "GET /get_one_header_no_body HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n", 0)
HEAD("llhttp-101", "GET / HTTP/1.1\r\nHost: localhost\r\nTest: D\303\274sseldorf\r\n\r\n", 0)
HEAD("llhttp-102",
     "OPTIONS /url HTTP/1.1\r\nHost: localhost\r\nHeader1: Value1\r\n"
     "Header2: \303\277Value2\r\n\r\n", 0)
HEAD("llhttp-105", "PUT /url HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", 0)
HEAD("llhttp-134", "GET http://hypnotoad.org:1234?hail=all HTTP/1.1\r\nHost: localhost\r\n\r\n", 0)
HEAD("llhttp-136", "GET http://hypnotoad.org:1234 HTTP/1.1\r\nHost: localhost\r\n\r\n", 0)
HEAD("http-parser-005", "GET http://hypnotoad.org?hail=all HTTP/1.1\r\nHost: localhost\r\n\r\n", 0)
HEAD("picohttpparser-001", "GET / HTTP/1.0\r\n\r\n", 0)
HEAD("picohttpparser-031", "GET / HTTP/1.0\r\n|~: 1\r\n\r\n", 0)
HEAD("picohttpparser-033", "GET / HTTP/1.0\r\nfoo: a \t \r\n\r\n", 0)
HEAD("picohttpparser-035",
     "POST / HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\n\r\n", 0)
HEAD("httparse-019", "GET /bar;par?b HTTP/1.1\r\nHost: foo\r\n\r\n", 0)
HEAD("httparse-027", "GET /foo/:/ HTTP/1.1\r\nHost: example.org\r\n\r\n", 0)
HEAD("httparse-036", "GET /path;a??e HTTP/1.1\r\nHost: foo\r\n\r\n", 0)

/* absolute-empty-host */
HEAD("cowboy-026", "GET http:// HTTP/1.1\r\nHost: localhost\r\n\r\n", 400)

/* absolute-uri-other-scheme */
HEAD("httparse-103", "GET ietf:rfc:2648 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400)
HEAD("cowboy-021", "GET bad://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400)

/* asterisk-without-OPTIONS */
HEAD("gunicorn-065", "GET * HTTP/1.1\r\nHost: example.com\r\n\r\n", 400)
HEAD("cowboy-036", "GET * HTTP/1.1\r\nHost: localhost\r\n\r\n", 400)

/* bad-field-name */
HEAD("llhttp-047", "GET / HTTP/1.1\r\nHost: localhost\r\nFo@: Failure\r\n\r\n", 400)
HEAD("llhttp-048", "GET / HTTP/1.1\r\nHost: localhost\r\nFoo\001\test: Bar\r\n\r\n", 400)
HEAD("llhttp-049", "GET / HTTP/1.1\r\nHost: localhost\r\n: Bar\r\n\r\n", 400)
HEAD("picohttpparser-019", "GET / HTTP/1.0\r\n:a\r\n\r\n", 400)
HEAD("picohttpparser-027", "GET / HTTP/1.0\r\na\033b: c\r\n\r\n", 400)
HEAD("picohttpparser-029", "GET / HTTP/1.0\r\n/: 1\r\n\r\n", 400)
HEAD("cowboy-048", "GET / HTTP/1.1\r\nHost: localhost\r\nX-\000Bad: fooled you\r\n\r\n", 400)
HEAD("smuggler-023",
     "POST /echo HTTP/1.1\r\nTransfer-Encoding\004: chunked\r\nHost: localhost\r\n"
     "Content-Length: 70\r\n\r\n", 400)

/* bare-cr */
HEAD("llhttp-045",
     "POST / HTTP/1.1\r\nConnection: Close\r\nHost: localhost:5000\r\n"
     "x:\rTransfer-Encoding: chunked\r\n\r\n", 400)
HEAD("smuggler-051",
     "POST /echo HTTP/1.1\r\nX: X\r\tTransfer-Encoding: chunked\r\nHost: localhost\r\n"
     "Content-Length: 70\r\n\r\n", 400)
HEAD("smuggler-097",
     "POST /echo HTTP/1.1\r\nX: X\rTransfer-Encoding: chunked\r\nHost: localhost\r\n"
     "Content-Length: 70\r\n\r\n", 400)

/* bare-cr,ctl-in-value */
HEAD("smuggler-017",
     "POST /echo HTTP/1.1\r\nX: X\r\001Transfer-Encoding: chunked\r\n"
     "Host: localhost\r\nContent-Length: 70\r\n\r\n", 400)
HEAD("smuggler-029",
     "POST /echo HTTP/1.1\r\nX: X\r\004Transfer-Encoding: chunked\r\n"
     "Host: localhost\r\nContent-Length: 70\r\n\r\n", 400)

/* bare-cr,te-and-cl */
HEAD("smuggler-091",
     "POST /echo HTTP/1.1\r\nTransfer-Encoding:\rchunked\r\nHost: localhost\r\n"
     "Content-Length: 70\r\n\r\n", 400)

/* bare-cr,ws-before-first-header */
HEAD("smuggler-094",
     "POST /echo HTTP/1.1\r\n\rTransfer-Encoding: chunked\r\nHost: localhost\r\n"
     "Content-Length: 70\r\n\r\n", 400)

/* bare-lf */
HEAD("llhttp-054", "GET / HTTP/1.1\r\nHost: localhost\r\nDummy: x\nContent-Length: 23\r\n\r\n", 400)
HEAD("httparse-010", "GET / HTTP/1.1\nHost: foo.bar\n\n", 400)
HEAD("cowboy-009",
     "POST /echo/read_body HTTP/1.1\nHost: localhost\r\nTransfer-encoding: chunked\r\n"
     "\r\n", 400)

/* bare-lf,ctl-in-value,te-and-cl */
HEAD("smuggler-018",
     "POST /echo HTTP/1.1\r\nX: X\001\nTransfer-Encoding: chunked\r\n"
     "Host: localhost\r\nContent-Length: 70\r\n\r\n", 400)
HEAD("smuggler-030",
     "POST /echo HTTP/1.1\r\nX: X\004\nTransfer-Encoding: chunked\r\n"
     "Host: localhost\r\nContent-Length: 70\r\n\r\n", 400)

/* bare-lf,obs-fold */
HEAD("llhttp-098",
     "GET / HTTP/1.1\r\nHost: localhost\r\nLine1:   abc\n\tdef\n ghi\n\t\tjkl\n"
     "  mno \n\t \tqrs\nLine2: \t line2\t\nLine3:\n line3\nLine4: \n \nConnection:\n"
     " close\n\n", 400)
HEAD("http-parser-006",
     "GET / HTTP/1.1\nHost: localhost\nLine1:   abc\n\tdef\n ghi\n\t\tjkl\n  mno \n"
     "\t \tqrs\nLine2: \t line2\t\nLine3:\n line3\nLine4: \n \nConnection:\n close\n\n", 400)

/* bare-lf,obs-fold,te-and-cl */
HEAD("smuggler-171",
     "POST /echo HTTP/1.1\r\nTransfer-Encoding:\n chunked\r\nHost: localhost\r\n"
     "Content-Length: 70\r\n\r\n", 400)
HEAD("smuggler-172",
     "POST /echo HTTP/1.1\r\nTransfer-Encoding:\n chunked\r\nHost: localhost\r\n"
     "Content-Length: 3\r\n\r\n", 400)

/* bare-lf,te-and-cl */
HEAD("smuggler-052",
     "POST /echo HTTP/1.1\r\nX: X\t\nTransfer-Encoding: chunked\r\nHost: localhost\r\n"
     "Content-Length: 70\r\n\r\n", 400)
HEAD("smuggler-062",
     "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\nX: X\r\nHost: localhost\r\n"
     "Content-Length: 70\r\n\r\n", 400)

/* cl-conflict */
HEAD("dropseed-h1spec-005",
     "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 7\r\n"
     "\r\n", 400)
HEAD("hyper-014",
     "POST / HTTP/1.1\r\nHost: localhost\r\ncontent-length: 10\r\n"
     "content-length: 11\r\n\r\n", 400)
HEAD("go-009",
     "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nContent-Length: 4\r\n"
     "\r\n", 400)

/* cl-invalid */
HEAD("llhttp-029", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4 2\r\n\r\n", 400)
HEAD("llhttp-030", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 13 37\r\n\r\n", 400)
HEAD("llhttp-031", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length:\r\n\r\n", 400)
HEAD("gunicorn-014", "PUT /stuff/here?foo=bar HTTP/1.0\r\nCONTENT-LENGTH: -1\r\n\r\n", 400)
HEAD("gunicorn-015",
     "POST /stuff/here?foo=bar HTTP/1.0\r\nCONTENT-LENGTH: bla-bla-bla\r\n\r\n", 400)
HEAD("gunicorn-022", "GET /first HTTP/1.0\r\nContent-Length: -0\r\n\r\n", 400)
HEAD("gunicorn-023", "GET /first HTTP/1.0\r\nContent-Length: 0_1\r\n\r\n", 400)
HEAD("gunicorn-024", "GET /first HTTP/1.0\r\nContent-Length: +1\r\n\r\n", 400)
HEAD("cowboy-071", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-length: NaN\r\n\r\n", 400)
HEAD("hyper-009", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: foo\r\n\r\n", 400)

/* cl-repeated-identical */
HEAD("cowboy-063",
     "POST / HTTP/1.1\r\nHost: localhost\r\nContent-length: 12\r\n"
     "Content-length: 12\r\n\r\n", 400)
HEAD("cowboy-070", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-length: 12,12\r\n\r\n", 400)

/* connect */
HEAD("llhttp-068",
     "CONNECT 0-home0.netscape.com:443 HTTP/1.0\r\nUser-agent: Mozilla/1.1N\r\n"
     "Proxy-authorization: basic aGVsbG86d29ybGQ=\r\n\r\n", 0)
HEAD("llhttp-069",
     "CONNECT HOME0.NETSCAPE.COM:443 HTTP/1.0\r\nUser-agent: Mozilla/1.1N\r\n"
     "Proxy-authorization: basic aGVsbG86d29ybGQ=\r\n\r\n", 0)

/* connect-target */
HEAD("hyper-007", "CONNECT localhost HTTP/1.1\r\nHost: localhost\r\n\r\n", 400)
HEAD("aiohttp-047", "CONNECT www.google.com HTTP/1.1\r\nHost: a\r\ncontent-length: 0\r\n\r\n", 400)
HEAD("go-005", "CONNECT /_goRPC_ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400)

/* ctl-in-value */
HEAD("llhttp-060", "GET /url HTTP/1.1\r\nHost: localhost\r\nHeader1: hello\014world\r\n\r\n", 400)
HEAD("http-parser-067", "GET / HTTP/1.1\r\nHost: localhost\r\nFoo: F\001ailure\r\n\r\n", 400)
HEAD("http-parser-068", "GET / HTTP/1.1\r\nHost: localhost\r\nFoo: B\002ar\r\n\r\n", 400)
HEAD("picohttpparser-028", "GET / HTTP/1.0\r\nab: c\033\r\n\r\n", 400)
HEAD("gunicorn-055",
     "GET /foo HTTP/1.1\r\nHost: example.com\r\nX-Value: plain\007injected\r\n\r\n", 400)

/* fragment-in-target */
HEAD("llhttp-138",
     "GET /forums/1/topics/2375?page=1#posts-17408 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400)
HEAD("http-parser-002",
     "POST /post_identity_body_world?q=search#hey HTTP/1.1\r\nHost: localhost\r\n"
     "Accept: */*\r\nContent-Length: 5\r\n\r\n", 400)

/* fragment-in-target,target-non-ascii */
HEAD("aiohttp-066",
     "GET /\320\277\321\203\321\202\321\214?\320\272\320\273\321\216\321\207=\320\267\320\275"
     "\320\260\321\207#\321\204\321\200\320\260\320\263 HTTP/1.1\r\n"
     "Host: a\r\n\r\n", 400)

/* fragment-in-target,te-compression */
HEAD("llhttp-121",
     "POST /post_identity_body_world?q=search#hey HTTP/1.1\r\nHost: localhost\r\n"
     "Accept: */*\r\nTransfer-Encoding: deflate, chunked\r\n\r\n", 400)
HEAD("llhttp-122",
     "POST /post_identity_body_world?q=search#hey HTTP/1.1\r\nHost: localhost\r\n"
     "Accept: */*\r\nTransfer-Encoding: deflate\r\nTransfer-Encoding: chunked\r\n\r\n", 400)

/* h2-preface */
HEAD("hyper-010", "PRI * HTTP/2.0\r\n\r\n", 505)

/* host-invalid */
HEAD("dropseed-h1spec-012", "GET / HTTP/1.1\r\nHost: bad host\r\n\r\n", 400)
HEAD("dropseed-h1spec-014", "GET / HTTP/1.1\r\nHost: localhost\r\n  continued\r\n\r\n", 400)
HEAD("dropseed-h1spec-015", "GET / HTTP/1.1\r\nHost: local\000host\r\n\r\n", 400)

/* host-missing */
HEAD("aiohttp-030", "GET /admin HTTP/1.1\r\n\r\n", 400)

/* host-multiple */
HEAD("dropseed-h1spec-011", "GET / HTTP/1.1\r\nHost: localhost\r\nHost: example.com\r\n\r\n", 400)
HEAD("aiohttp-029",
     "GET /admin HTTP/1.1\r\nHost: admin.example\r\nHost: public.example\r\n\r\n", 400)
HEAD("aiohttp-031", "GET /test HTTP/1.1\r\nhost: evil.example\r\nHost: good.example\r\n\r\n", 400)

/* http-version-major */
HEAD("llhttp-066", "GET / HTTP/5.6\r\n\r\n", 505)
HEAD("gunicorn-069", "GET /foo HTTP/2.0\r\n\r\n", 505)
HEAD("waitress-021", "GET /foobar HTTP/8.4\r\nContent-Length: 10\r\n\r\n", 505)

/* http-version-minor */
HEAD("lighttpd1-4-018", "GET / HTTP/1.3\r\nHost: localhost\r\n\r\n", 505)

/* http-version-minor,unknown-method */
HEAD("aiohttp-034", "#smol //a HTTP/1.3\r\nHost: localhost\r\n\r\n", 505)

/* http09-simple-request */
HEAD("llhttp-096", "GET /\r\n\r\n", 400)
HEAD("lighttpd1-4-002", "GET  /HTTP/1.0\r\nHost: www.example.org\r\n\r\n", 400)

/* https-on-plain */
HEAD("aiohttp-048",
     "GET https://www.google.com/path/to.html HTTP/1.1\r\nHost: a\r\n"
     "content-length: 0\r\n\r\n", 0)

/* leading-bare-lf,several-leading-empty-lines,bare-lf */
HEAD("httparse-012", "\n\nGET / HTTP/1.1\nHost: localhost\n\n", 400)

/* no-colon */
HEAD("llhttp-051", "GET / HTTP/1.1\r\nHost: localhost\r\nname\r\n : value\r\n\r\n", 400)
HEAD("http-parser-023",
     "GET / HTTP/1.1\r\nHost: www.example.com\r\nConnection\r\0335\325eep-Alive\r\n"
     "Accept-Encoding: gzip\r\n\r\n", 400)
HEAD("http-parser-024",
     "GET / HTTP/1.1\r\nHost: www.example.com\r\nX-Some-Header\r\0335\325eep-Alive\r\n"
     "Accept-Encoding: gzip\r\n\r\n", 400)

/* nul-in-value */
HEAD("picohttpparser-026", "GET / HTTP/1.0\r\nab: c\000d\r\n\r\n", 400)
HEAD("cowboy-050",
     "GET / HTTP/1.1\r\nHost: localhost\r\nX-Bad: value\000rm rf the world\r\n\r\n", 400)

/* obs-fold */
HEAD("llhttp-097",
     "GET / HTTP/1.1\r\nHost: localhost\r\nLine1:   abc\r\n\tdef\r\n ghi\r\n"
     "\t\tjkl\r\n  mno \r\n\t \tqrs\r\nLine2: \t line2\t\r\nLine3:\r\n line3\r\n"
     "Line4: \r\n \r\nConnection:\r\n close\r\n\r\n", 400)
HEAD("picohttpparser-005", "GET / HTTP/1.0\r\nfoo: \r\nfoo: b\r\n  \tc\r\n\r\n", 400)
HEAD("gunicorn-013", "GET /test HTTP/1.1\r\nHost: localhost\r\nAccept:\r\n */*\r\n\r\n", 400)

/* obs-fold,repeated-singleton-field */
HEAD("lighttpd1-4-013", "GET / HTTP/1.0\r\nLocation: \r\nLocation: foobar\r\n  baz\r\n\r\n", 400)

/* repeated-singleton-field */
HEAD("gunicorn-026",
     "GET /stuff/here?foo=bar HTTP/1.1\r\nHost: localhost\r\n"
     "Content-Type: application/json\r\nContent-Type: text/html\r\n\r\n", 0)
HEAD("aiohttp-022",
     "GET /test HTTP/1.1\r\nHost: example.com\r\nContent-Location: value1\r\n"
     "Content-Location: value2\r\n\r\n", 0)

/* request-line */
HEAD("llhttp-038", "GET /music/sweet/music ICE/1.0\r\nHost: example.com\r\n\r\n", 400)
HEAD("llhttp-039", "GET /music/sweet/music IHTTP/1.0\r\nHost: example.com\r\n\r\n", 400)
HEAD("llhttp-078", "SOURCE /music/sweet/music ICE/1.0\r\nHost: example.com\r\n\r\n", 400)
HEAD("llhttp-080", "ANNOUNCE /music/sweet/music RTSP/1.0\r\nHost: example.com\r\n\r\n", 400)
HEAD("llhttp-141", "GET /foo bar/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400)
HEAD("http-parser-012", "GET / IHTTP/1.0\r\n\r\n", 400)
HEAD("http-parser-013", "GET / ICE/1.0\r\n\r\n", 400)
HEAD("http-parser-017", "GET / HTTP/1.01\r\n\r\n", 400)
HEAD("http-parser-066", "hello world / HTTP/1.1\r\nHost: localhost\r\n\r\n", 400)
HEAD("picohttpparser-018", "GET  HTTP/1.0\r\n\r\n", 400)
HEAD("picohttpparser-021", "G\000T / HTTP/1.0\r\n\r\n", 400)
HEAD("picohttpparser-022", "G\tT / HTTP/1.0\r\n\r\n", 400)
HEAD("httparse-014", "GET\n/ HTTP/1.1\r\nHost: foo.bar\r\n\r\n", 400)
HEAD("httparse-016", " / HTTP/1.1\r\nHost: localhost\r\n\r\n", 400)
HEAD("smuggler-058",
     "POST /echo HTTP/1.1\r\nHost: localhost\r\n\nTransfer-Encoding: chunked\r\n"
     "Host: localhost\r\nContent-Length: 70\r\n\r\n", 400)
HEAD("smuggler-064",
     "POST /echo HTTP/1.1\r\nHost: localhost\r\nX: X\n\nTransfer-Encoding: chunked\r\n"
     "Host: localhost\r\nContent-Length: 70\r\n\r\n", 400)
HEAD("smuggler-161",
     "POST /echo HTTP/1.1\r\nTransfer_Encoding: chunked\r\nHost: localhost\r\n"
     "Content-Length: 3\r\n\r\n", 0)
HEAD("smuggler-170",
     "POST /echo HTTP/1.1\r\nContent-Encoding: chunked\r\nHost: localhost\r\n"
     "Content-Length: 3\r\n\r\n", 0)
HEAD("cpp-httplib-008",
     "GET /header_field_value_check HTTP/1.1\r\nHost: localhost\r\nTest: [\n\n\n]\r\n"
     "\r\n", 400)
HEAD("puma-021", "QUERY / HTTP/1.1\r\nHost: test.com\r\n\r\n", 0)

/* request-line-whitespace */
HEAD("picohttpparser-034", "GET   /   HTTP/1.0\r\n\r\n", 400)
HEAD("cowboy-012", "GET\t/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400)

/* target-above-root */
HEAD("cve-aiohttp-static-traversal",
     "GET /static/../../../../../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n", 0)
HEAD("cve-apache-traversal-41773",
     "GET /static/.%2e/.%2e/.%2e/.%2e/.%2e/etc/passwd HTTP/1.1\r\nHost: localhost\r\n"
     "\r\n", 0)

/* target-bad-pct */
HEAD("httparse-049", "GET /foo/%2e%2 HTTP/1.1\r\nHost: example.com\r\n\r\n", 0)
HEAD("httparse-053", "GET /foo%2 HTTP/1.1\r\nHost: example.com\r\n\r\n", 0)

/* target-char */
HEAD("llhttp-131",
     "GET /with_\"lovely\"_quotes?foo=\\\"bar\\\" HTTP/1.1\r\nHost: localhost\r\n\r\n", 400)
HEAD("llhttp-135", "GET /test.cgi?query=| HTTP/1.1\r\nHost: localhost\r\n\r\n", 0)

/* target-ctl */
HEAD("picohttpparser-024", "GET /\177hello HTTP/1.0\r\n\r\n", 400)
HEAD("cowboy-016", "GET /echo\000/path HTTP/1.1\r\nHost: localhost\r\n\r\n", 400)
HEAD("cowboy-022", "GET ht\000tp://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400)

/* target-form */
HEAD("httparse-040", "GET example.com/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400)
HEAD("httparse-044", "GET text/html,test HTTP/1.1\r\nHost: localhost\r\n\r\n", 400)
HEAD("httparse-045", "GET 1234567890 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400)
HEAD("httparse-068", "GET test HTTP/1.1\r\nHost: localhost\r\n\r\n", 400)
HEAD("gunicorn-067", "GET foo/bar HTTP/1.1\r\nHost: example.com\r\n\r\n", 400)
HEAD("cowboy-035", "GET localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400)

/* target-non-ascii */
HEAD("picohttpparser-030", "GET /\240 HTTP/1.0\r\nh: c\242y\r\n\r\n", 400)
HEAD("httparse-129",
     "GET /test?post=I\342\200\231msorryIforkedyou HTTP/1.1\r\nHost: example.org\r\n"
     "\r\n", 400)

/* te-and-cl */
HEAD("gunicorn-064",
     "POST /p HTTP/1.1\r\nHost: example.com\r\nContent-Length: 3\r\n"
     "Transfer-Encoding: chunked\r\n\r\n", 400)
HEAD("cowboy-072",
     "POST /echo/read_body HTTP/1.1\r\nHost: localhost\r\n"
     "Transfer-encoding: chunked\r\nContent-length: 12\r\n\r\n", 400)
HEAD("smuggler-003",
     "POST /echo HTTP/1.1\r\nTransfer-Encoding:\tchunked\r\nHost: localhost\r\n"
     "Content-Length: 70\r\n\r\n", 400)

/* te-chunked-not-final */
HEAD("llhttp-024",
     "PUT /url HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n"
     "Transfer-Encoding: identity\r\n\r\n", 400)
HEAD("llhttp-115",
     "PUT /url HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: pigeons\r\n\r\n", 400)
HEAD("llhttp-117",
     "POST /post_identity_body_world?q=search#hey HTTP/1.1\r\nHost: localhost\r\n"
     "Accept: */*\r\nTransfer-Encoding: identity\r\nContent-Length: 1\r\n\r\n", 400)
HEAD("llhttp-119",
     "POST /post_identity_body_world?q=search#hey HTTP/1.1\r\nHost: localhost\r\n"
     "Accept: */*\r\nTransfer-Encoding: chunked, deflate\r\n\r\n", 400)
HEAD("llhttp-123",
     "POST /post_identity_body_world?q=search#hey HTTP/1.1\r\nHost: localhost\r\n"
     "Accept: */*\r\nTransfer-Encoding: chunkedchunked\r\n\r\n", 400)
HEAD("gunicorn-035",
     "POST /chunked_not_last HTTP/1.1\r\nHost: localhost\r\n"
     "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n", 400)

/* te-chunked-twice */
HEAD("cve-tornado-double-te",
     "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
     "Transfer-Encoding: chunked\r\n\r\n", 400)

/* te-compression */
HEAD("gunicorn-083",
     "POST /chunked HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n"
     "Transfer-Encoding: chunked\r\n\r\n", 400)
HEAD("gunicorn-084",
     "POST /chunked HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip,chunked\r\n"
     "\r\n", 501)

/* te-compression,te-and-cl */
HEAD("swift-nio-011",
     "POST /foo HTTP/1.1\r\nHost: localhost\r\nContent-length: 1\r\n"
     "Transfer-Encoding: gzip, chunked\r\n\r\n", 400)

/* te-empty */
HEAD("llhttp-118",
     "POST / HTTP/1.1\r\nHost: foo\r\nContent-Length: 10\r\nTransfer-Encoding:\r\n"
     "Transfer-Encoding:\r\nTransfer-Encoding:\r\n\r\n", 400)
HEAD("aiohttp-042", "GET /test HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ,  \t ,\r\n\r\n", 400)

/* te-empty-element,te-and-cl */
HEAD("cve-gunicorn-te-comma",
     "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: ,chunked\r\n"
     "Content-Length: 70\r\n\r\n", 400)

/* te-identity */
HEAD("gunicorn-087",
     "GET /stuff/here?foo=bar HTTP/1.1\r\nHost: localhost\r\n"
     "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n", 400)

/* te-in-http10 */
HEAD("dropseed-h1spec-001",
     "POST / HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", 400)
HEAD("tornado-004",
     "POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n", 400)

/* te-in-http10,te-and-cl */
HEAD("cve-netty-http10-te-cl",
     "POST /echo HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
     "Content-Length: 5\r\n\r\n", 400)

/* te-unknown-coding */
HEAD("cowboy-068",
     "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-encoding: unknown, chunked\r\n"
     "\r\n", 501)
HEAD("cowboy-069",
     "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-encoding: unknown\r\n"
     "Transfer-encoding: chunked\r\n\r\n", 400)
HEAD("smuggler-167",
     "POST /echo HTTP/1.1\r\nTransfer-Encoding: cow, chunked\r\nHost: localhost\r\n"
     "Content-Length: 70\r\n\r\n", 501)

/* unknown-method */
HEAD("llhttp-050", "MKCOLA / HTTP/1.1\r\nHost: localhost\r\n\r\n", 0)
HEAD("llhttp-074", "SEARCH / HTTP/1.1\r\nHost: www.example.com\r\n\r\n", 0)

/* unknown-method,asterisk-without-OPTIONS */
HEAD("llhttp-071",
     "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\n"
     "ST: \"ssdp:all\"\r\n\r\n", 400)
HEAD("go-006", "NOTIFY * HTTP/1.1\r\nHost: localhost\r\nServer: foo\r\n\r\n", 400)

/* userinfo-in-target */
HEAD("llhttp-140",
     "GET http://a%12:b!&*$@hypnotoad.org:1234/toto HTTP/1.1\r\nHost: localhost\r\n"
     "\r\n", 400)

/* ws-before-colon */
HEAD("llhttp-015",
     "PUT /url HTTP/1.1\r\nHost: localhost\r\nConnection : upgrade\r\n"
     "Content-Length: 4\r\nUpgrade: ws\r\n\r\n", 400)
HEAD("cowboy-053", "GET / HTTP/1.1\r\nHost : localhost\r\n\r\n", 400)
HEAD("smuggler-005",
     "POST /echo HTTP/1.1\r\nTransfer-Encoding\t:\tchunked\r\nHost: localhost\r\n"
     "Content-Length: 70\r\n\r\n", 400)
HEAD("smuggler-007",
     "POST /echo HTTP/1.1\r\nTransfer-Encoding : chunked\r\nHost: localhost\r\n"
     "Content-Length: 70\r\n\r\n", 400)

/* ws-before-first-header */
HEAD("picohttpparser-020", "GET / HTTP/1.0\r\n :a\r\n\r\n", 400)
HEAD("cowboy-051", "GET / HTTP/1.1\r\n Host: localhost\r\nHost: localhost\r\n\r\n", 400)
/* clang-format on */
