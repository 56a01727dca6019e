"""The Lua scripts of the Redis transport. Each is atomic: a process that dies has done all of one, or nothing of it.

Beside every list that a queue consists of (``orders``, ``orders\\x06\\x163``) stand keys of ours:

========================  ===========  ==============================================================================
``safecelery:held:``      hash         delivery tag to item: delivered, not acknowledged yet. The bytes as they came
``safecelery:since:``     sorted set   delivery tag to the time of its last renewal
``safecelery:again:``     sorted set   SHA-1 of an item to the time it was last given back
``safecelery:parked:``    sorted set   item to the time it is due
========================  ===========  ==============================================================================

kombu keeps unacknowledged messages of all queues in one hash, each as JSON with the name of the queue to give it back
to: whoever may write there chooses the queue, and what is no JSON ends the worker. Here the key's name says which list
an item belongs to, nothing is parsed, and what somebody else wrote there comes back to this list only, through the
firewall. Every script writes the copy before it removes the original; times are the server's.

``KEYS`` are the lists. ``ARGV[1]`` is kombu's ``global_keyprefix``, which all of them begin with.
"""

from __future__ import annotations

__all__ = ["CLEAR", "FORGET", "OVERSIZED", "PARK", "RENEW", "REQUEUE", "SWEEP", "TAKE", "UNPARK", "beside"]

#: Hash of the items that are too large to be read: delivery tag to item.
OVERSIZED = "safecelery:oversized"


def beside(kind: str, name: str) -> str:
    """Our key of one kind beside a list, both without the global prefix."""
    return f"safecelery:{kind}:{name}"


_COMMON = """
local prefix = ARGV[1]
local function beside(kind, list)
    return prefix .. 'safecelery:' .. kind .. ':' .. string.sub(list, #prefix + 1)
end
local function now()
    local t = redis.call('TIME')
    return tonumber(t[1]) + tonumber(t[2]) / 1000000
end
local function hold(list, tag, item)
    redis.call('ZADD', beside('since', list), now(), tag)
    redis.call('HSET', beside('held', list), tag, item)
end
local function given_back(list, item)
    local again = beside('again', list)
    if redis.call('EXISTS', again) == 1 and redis.call('ZSCORE', again, redis.sha1hex(item)) then
        return 1
    end
    return 0
end
local function forget(first)
    for number = first, #ARGV, 2 do
        redis.pcall('ZREM', prefix .. 'safecelery:since:' .. ARGV[number], ARGV[number + 1])
        redis.pcall('HDEL', prefix .. 'safecelery:held:' .. ARGV[number], ARGV[number + 1])
    end
end
local function give_back(list, tag, command)
    local held = beside('held', list)
    local item = redis.call('HGET', held, tag)
    if item then
        redis.call(command, list, item)
        local again = beside('again', list)
        redis.call('ZADD', again, now(), redis.sha1hex(item))
        redis.call('ZREMRANGEBYSCORE', again, '-inf', now() - 604800)
        redis.call('EXPIRE', again, 604800)
    end
    redis.call('HDEL', held, tag)
    redis.call('ZREM', beside('since', list), tag)
    return item and 1 or 0
end
"""

#: Forget what was acknowledged: ARGV[2...] are pairs of a list (without the prefix) and a tag.
FORGET = (
    _COMMON
    + """
forget(2)
"""
)

#: The next items of the first lists that have any, held under the tags that begin at ARGV[5], ARGV[4] of them at most;
#: what follows them is forgotten as by FORGET. One item longer than ARGV[2] bytes goes to the hash ARGV[3] and is not
#: returned, and nothing is taken after it. Gives {number of the list, item or its length, 1 if given back before, items
#: left in that list} for each; an error only if there is none to give.
TAKE = (
    _COMMON
    + """
local limit, most = tonumber(ARGV[2]), tonumber(ARGV[4])
forget(5 + most)
local function take(number, list, item, tag)
    -- A server without memory refuses what may need some, unless the script has written before: nothing is there to
    -- delete, but now the item may be moved, which is how a full server becomes empty again.
    redis.call('HDEL', beside('held', list), tag)
    if #item > limit then
        redis.call('HSET', prefix .. ARGV[3], tag, item)
        redis.call('RPOP', list)
        return {number, #item, 0, redis.call('LLEN', list)}
    end
    local again = given_back(list, item)
    hold(list, tag, item)
    redis.call('RPOP', list)
    return {number, item, again, redis.call('LLEN', list)}
end
local taken = {}
for number, list in ipairs(KEYS) do
    while #taken < most do
        local item = redis.pcall('LINDEX', list, -1)
        if not item then
            break
        end
        local long = type(item) == 'string' and #item > limit
        if long and #taken > 0 then
            return taken
        end
        local fine, found = false, item
        if type(item) == 'string' then
            fine, found = pcall(take, number, list, item, ARGV[5 + #taken])
        end
        if not fine then
            if #taken > 0 then
                return taken
            end
            return type(found) == 'table' and found or redis.error_reply(found)
        end
        taken[#taken + 1] = found
        if long then
            return taken
        end
    end
end
return taken
"""
)

#: Give back the items with the tags ARGV[3...] by the command ARGV[2]: RPUSH is next in line, LPUSH last.
REQUEUE = (
    _COMMON
    + """
local count = 0
for number = 3, #ARGV do
    count = count + give_back(KEYS[1], ARGV[number], ARGV[2])
end
return count
"""
)

#: Give back what nobody has renewed for ARGV[2] seconds, at most ARGV[3] of each list.
SWEEP = (
    _COMMON
    + """
local count = 0
for _, list in ipairs(KEYS) do
    local due = redis.call('ZRANGEBYSCORE', beside('since', list), '-inf', now() - tonumber(ARGV[2]),
                           'LIMIT', 0, tonumber(ARGV[3]))
    for _, tag in ipairs(due) do
        count = count + give_back(list, tag, 'RPUSH')
    end
end
return count
"""
)

#: The holder of the tags ARGV[2...] is alive. One that is not there any more is not made anew.
RENEW = (
    _COMMON
    + """
for number = 2, #ARGV do
    redis.call('ZADD', beside('since', KEYS[1]), 'XX', now(), ARGV[number])
end
return #ARGV - 1
"""
)

#: Park the item with the tag ARGV[2] until ARGV[3], in seconds since the epoch.
PARK = (
    _COMMON
    + """
local held = beside('held', KEYS[1])
local item = redis.call('HGET', held, ARGV[2])
if not item then
    return 0
end
redis.call('ZADD', beside('parked', KEYS[1]), ARGV[3], item)
redis.call('HDEL', held, ARGV[2])
redis.call('ZREM', beside('since', KEYS[1]), ARGV[2])
return 1
"""
)

#: Move what is due within ARGV[2] seconds back into its list, last in line; at most ARGV[3] of each.
UNPARK = (
    _COMMON
    + """
local count = 0
for _, list in ipairs(KEYS) do
    local parked = beside('parked', list)
    local due = redis.call('ZRANGEBYSCORE', parked, '-inf', now() + tonumber(ARGV[2]), 'LIMIT', 0, tonumber(ARGV[3]))
    for _, item in ipairs(due) do
        redis.call('LPUSH', list, item)
        redis.call('ZREM', parked, item)
    end
    count = count + #due
end
return count
"""
)

#: Rename whatever stands at a key of ours with a wrong type. ARGV[2] makes the new names unique. Gives the number.
CLEAR = (
    _COMMON
    + """
local count = 0
local function clear(key, wanted)
    local kind = redis.call('TYPE', key).ok
    if kind ~= 'none' and kind ~= wanted then
        redis.call('RENAME', key, prefix .. 'safecelery:misplaced:' .. string.sub(key, #prefix + 1) .. ':' .. ARGV[2])
        count = count + 1
    end
end
clear(prefix .. ARGV[3], 'hash')
for _, list in ipairs(KEYS) do
    clear(list, 'list')
    clear(beside('held', list), 'hash')
    for _, kind in ipairs({'since', 'again', 'parked'}) do
        clear(beside(kind, list), 'zset')
    end
end
return count
"""
)
