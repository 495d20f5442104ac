import Testing

@testable import GaleRedis

@Suite struct AddressTests {
    @Test(
        "what a URL says",
        arguments: [
            ("redis://127.0.0.1", RedisAddress.Place.host("127.0.0.1", port: 6379), nil, nil, 0),
            ("redis://db.example:7000/", .host("db.example", port: 7000), nil, nil, 0),
            ("redis://u%40s:p%3Aw@db:1/15", .host("db", port: 1), "u@s", "p:w", 15),
            ("redis://:secret@[::1]:6380/2", .host("::1", port: 6380), nil, "secret", 2),
            ("unix:/run/redis.sock", .path("/run/redis.sock"), nil, nil, 0),
            ("unix:/run/redis.sock?db=3", .path("/run/redis.sock"), nil, nil, 3),
        ] as [(String, RedisAddress.Place, String?, String?, Int)])
    func good(_ url: String, _ place: RedisAddress.Place, _ user: String?, _ password: String?, _ db: Int) throws {
        let address = try RedisAddress(url)
        #expect(address.place == place)
        #expect(address.user == user)
        #expect(address.password == password)
        #expect(address.database == db)
    }

    @Test(
        "a sentence for what names no Redis",
        arguments: [
            ("", "a Redis is"), ("http://x", "a Redis is"), ("rediss://x", "TLS"), ("redis://", "host"),
            ("redis://:6379", "host"), ("redis://h:0", "port"), ("redis://h:65536", "port"), ("redis://h:", "port"),
            ("redis://h:+1", "port"), ("redis://h/x", "database"), ("redis://h/70000", "database"),
            ("redis://h?x=1", "? or #"), ("redis://password@h", "USER:PASSWORD"), ("redis://[::1", "]"),
            ("redis://[::1]x", ":PORT"), ("redis://a b", "host"), ("unix:", "path"),
            ("unix:" + String(repeating: "x", count: 108), "path"), ("unix:/a?db=x", "?db="), ("unix:/a?x=1", "?db="),
        ])
    func bad(_ url: String, _ part: String) {
        #expect(throws: RedisError.self) { try Redis(url) }
        do throws(RedisError) {
            _ = try RedisAddress(url)
        } catch {
            #expect(error.description.contains(part), "\(error)")
        }
    }

    @Test(
        "a sentence doesn't tell the password, however wrong the URL is",
        arguments: [
            "redis://user:secret@host:x", "redis:/user:secret@host", "redis:user:secret@host", "user:secret@host",
            "rediss://user:secret@host", "redis://user:se@secret@host:x", "redis://user:secret@\u{301}host:x",
            "unix:/host?password=secret", "unix:/host?db=x&password=secret", "redis://host?secret",
            "redis://host#secret", "http://user:secret@host", "redis://host:secret", "redis://[::1]host:secret",
            "redis://host:secret%40x", "redis://u:p@host:secret/1",
            "http://host:secret",
        ])
    func secret(_ url: String) {
        let error = #expect(throws: RedisError.self) { try Redis(url) }
        #expect(error?.description.contains("secret") == false, "\(String(describing: error))")
        #expect(error?.description.contains("host") == true, "\(String(describing: error))")
    }

    @Test("what is no password is told") func told() {
        #expect(RedisAddress.quoted("redis://db.example:70000/1") == "\"redis://db.example:70000/1\"")
        #expect(RedisAddress.quoted("redis://[::1]:70000") == "\"redis://[::1]:70000\"")
        #expect(RedisAddress.quoted("unix:/a:b") == "\"unix:/a:b\"")
        #expect(RedisAddress.quoted("redis://u:p@h:1?x=1") == "\"redis://...@h:1?...\"")
        #expect(RedisAddress.quoted("") == "\"\"")
    }
}
