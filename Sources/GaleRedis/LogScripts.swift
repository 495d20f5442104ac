/// What a log does within Redis, where nothing comes between two steps.
///
/// The stream NAME has the entries: fields k (key) and t (text). Beside it stand marks, under a prefix that no log's
/// name has (`LogNames`):
/// - gale-log:epoch:NAME, the run id of the Redis that the log was last read on. Another run id, or none, means that Redis was
///   restarted, replaced or emptied, and may have lost entries that processes have seen.
/// - gale-log:settling:NAME, for the time after that in which nothing is appended: meanwhile all processes come back and put
///   back what they have. Else a new entry could come before one that only a late process has, which could then not
///   be put back in its place.
/// - gale-log:key:LENGTH:NAME:KEY, the id of the entry under that key, for a bounded time.
///
/// A mark that isn't what it should be counts as none, and is replaced: it must not stop a log for ever.
enum LogScripts {
    /// Functions that the others begin with.
    private static let common = """
        local function mark(key)
            local value = redis.pcall('GET', key)
            if type(value) ~= 'table' then return value end
            if not string.find(value.err, 'WRONGTYPE', 1, true) then return redis.call('GET', key) end
            redis.call('DEL', key)
            return false
        end
        local function parts(id)
            local a, b = string.match(id, '^(%d+)-(%d+)$')
            return tonumber(a), tonumber(b)
        end
        local function less(x, y)
            local a, b = parts(x)
            local c, d = parts(y)
            return a < c or (a == c and b < d)
        end
        local function last()
            local e = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
            return e[1] and e[1][1] or '0-0'
        end
        local function expire(key, time)
            if time ~= '' then redis.pcall('PEXPIRE', key, time) end
        end
        local function tell(kind, prev, id, key, text)
            redis.call('PUBLISH', ARGV[1], kind .. ' ' .. prev .. ' ' .. id .. ' ' .. #key .. ' ' .. key .. text)
        end

        """

    /// Reads a page of entries, and notices that Redis isn't the one it was.
    ///
    /// KEYS: stream, epoch, settling. ARGV: after which id, how many the log keeps, how long it settles, how many for
    /// one page, 1 if this is the first page, when what is kept expires or "". Gives: whether that id is there (or this is a later page), how many
    /// entries there are, the page, and why the two marks could not be set ("" when they are). Without them nothing can
    /// be appended, but what is there is read.
    static let read =
        common + """
            local trouble = ''
            local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') or '?'
            if mark(KEYS[2]) ~= run then
                local set = redis.pcall('SET', KEYS[3], '1', 'PX', ARGV[3])
                trouble = set.err or redis.pcall('SET', KEYS[2], run).err or ''
                expire(KEYS[2], ARGV[6])
            end
            local count = redis.call('XLEN', KEYS[1])
            local page = redis.call('XRANGE', KEYS[1], ARGV[1], '+', 'COUNT', ARGV[4] + 1)
            if page[1] and page[1][1] == ARGV[1] then
                table.remove(page, 1)
            elseif ARGV[5] == '1' then
                local all = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', ARGV[2])
                local first = all[#all] and all[#all][1] or '0-0'
                page = redis.call('XRANGE', KEYS[1], first, '+', 'COUNT', ARGV[4])
                return {0, count, page, trouble}
            else
                page[ARGV[4] + 1] = nil
            end
            return {1, count, page, trouble}
            """

    /// Appends entries, each unless its key is known, and tells all processes, with the id of the one before, so that
    /// who has missed something sees it.
    ///
    /// KEYS: stream, epoch, settling, then the key of each. ARGV: channel, how many to keep, how long keys are known,
    /// when what is kept expires or "", the latest id the process has seen, then key and text of each. Gives "read" (this is not the Redis that was
    /// read from), "wait" and milliseconds (it is settling), or for each its id and text, or "" and an error. The ids
    /// rise above what the process has seen, also when Redis has lost that and its clock went back.
    static let append =
        common + """
            if not mark(KEYS[2]) then return {'read'} end
            local wait = mark(KEYS[3]) and redis.call('PTTL', KEYS[3]) or 0
            if wait > 0 then return {'wait', wait} end
            local prev, out = last(), {}
            local function nextid()
                if not less(prev, ARGV[5]) then return '*' end
                local now, a, b = redis.call('TIME'), parts(ARGV[5])
                if now[1] * 1000 + math.floor(now[2] / 1000) > a then return '*' end
                return string.format('%.0f-%.0f', a, b + 1)
            end
            for i = 4, #KEYS do
                local key, text = ARGV[2 * i - 2], ARGV[2 * i - 1]
                local old = mark(KEYS[i])
                if old and parts(old) then
                    local found = redis.call('XRANGE', KEYS[1], old, old)
                    out[#out + 1] = {old, found[1] and found[1][2][4] or text}
                else
                    local id = redis.pcall('XADD', KEYS[1], 'MAXLEN', ARGV[2], nextid(), 'k', key, 't', text)
                    if type(id) == 'table' then
                        out[#out + 1] = {'', id.err}
                    else
                        redis.pcall('SET', KEYS[i], id, 'PX', ARGV[3])
                        tell('a', prev, id, key, text)
                        prev = id
                        out[#out + 1] = {id, text}
                    end
                end
            end
            expire(KEYS[1], ARGV[4])
            expire(KEYS[2], ARGV[4])
            return out
            """

    /// Puts back entries that Redis has lost, under their own ids. Several processes may do it at once: what is there
    /// already stays.
    ///
    /// KEYS: stream, then the key of each. ARGV: channel, how many to keep, how long keys are known,
    /// when what is kept expires or "", then id, key and text of each, in their order. Those after the stream's last are added; those before it, which come too late,
    /// get their places by writing the stream anew.
    static let restore =
        common + """
            local prev, late = last(), {}
            for i = 2, #KEYS do
                local id, key, text = ARGV[3 * i - 1], ARGV[3 * i], ARGV[3 * i + 1]
                local other = mark(KEYS[i])
                if not other or other == id or not parts(other) then
                    if less(prev, id) then
                        redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[2], id, 'k', key, 't', text)
                        redis.call('SET', KEYS[i], id, 'PX', ARGV[3])
                        tell('a', prev, id, key, text)
                        prev = id
                    elseif #redis.call('XRANGE', KEYS[1], id, id) == 0 then
                        redis.call('SET', KEYS[i], id, 'PX', ARGV[3])
                        late[#late + 1] = {id, {'k', key, 't', text}}
                    end
                end
            end
            if #late == 0 then
                expire(KEYS[1], ARGV[4])
                return 0
            end
            local all = redis.call('XRANGE', KEYS[1], '-', '+')
            for _, e in ipairs(late) do all[#all + 1] = e end
            table.sort(all, function(x, y) return less(x[1], y[1]) end)
            redis.call('DEL', KEYS[1])
            for _, e in ipairs(all) do redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[2], e[1], unpack(e[2])) end
            expire(KEYS[1], ARGV[4])
            for _, e in ipairs(late) do tell('i', prev, e[1], e[2][2], e[2][4]) end
            return #late
            """
}
