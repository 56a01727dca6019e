"""The Lua scripts of the Redis store.

An entry of the ledger is one string: ``held TOKEN DELIVERIES LEASE_UNTIL HOLDER``, the same with ``free`` when it was
given back, or ``done TOKEN``. Times are microseconds of Redis' clock. A token is the time of its claim, or one more
than the one before: it grows even if the entry was lost in between. An entry that is none of these, or no string,
counts as completed: what cannot be read is refused, and keeps nothing else waiting.
"""

from __future__ import annotations

__all__ = ["ABANDON", "BEGIN", "CLAIM", "COMPLETE", "EXTEND", "KEEP", "RELEASE", "RENEW"]

_NOW = """
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000000 + tonumber(t[2])
"""
_READ = """
local function get(key)
  local value = redis.pcall('GET', key)
  if type(value) ~= 'table' then return value end
  if string.find(value.err, 'WRONGTYPE', 1, true) then return '' end
  return redis.call('GET', key)
end
local function read(value)
  if not value then return nil end
  local state, token, count, ends, holder = string.match(value, '^(%a+) (%d+) (%d+) (%d+) (.*)$')
  if state ~= 'held' and state ~= 'free' then return 'done' end
  return state, tonumber(token), tonumber(count), tonumber(ends), string.sub(holder, 1, 200)
end
local function write(state, token, count, ends, holder)
  return string.format('%s %.0f %d %.0f %s', state, token, count, ends, holder)
end
"""

#: KEYS: entry. ARGV: lease (us), ttl (ms), most deliveries, holder.
CLAIM = f"""{_NOW}{_READ}
local state, token, count, ends, holder = read(get(KEYS[1]))
if state == 'done' then return {{'replayed'}} end
if state == 'held' and ends > now then return {{'held', ends - now, holder}} end
if state and count >= tonumber(ARGV[3]) then return {{'poison', count}} end
token = math.max(now, (token or 0) + 1)
count = (count or 0) + 1
local ttl = math.max(tonumber(ARGV[2]), redis.call('PTTL', KEYS[1]))
redis.call('SET', KEYS[1], write('held', token, count, now + tonumber(ARGV[1]), ARGV[4]), 'PX', ttl)
return {{'admitted', string.format('%.0f', token), count}}
"""

#: KEYS: entries. ARGV: lease (us), least ttl (ms), a token for each key.
RENEW = f"""{_NOW}{_READ}
local answers = {{}}
for i, key in ipairs(KEYS) do
  local state, token, count, ends, holder = read(get(key))
  answers[i] = 0
  if state == 'held' and token == tonumber(ARGV[i + 2]) then
    redis.call('SET', key, write('held', token, count, now + tonumber(ARGV[1]), holder), 'KEEPTTL')
    if redis.call('PTTL', key) < tonumber(ARGV[2]) then redis.call('PEXPIRE', key, ARGV[2]) end
    answers[i] = 1
  end
end
return answers
"""

#: KEYS: entries. ARGV: a token for each key.
COMPLETE = f"""{_READ}
local answers = {{}}
for i, key in ipairs(KEYS) do
  local value, done = get(key), 'done ' .. ARGV[i]
  local state, token = read(value)
  answers[i] = 0
  if value == done then
    answers[i] = 1
  elseif state == 'held' and token == tonumber(ARGV[i]) then
    redis.call('SET', key, done, 'KEEPTTL')
    answers[i] = 1
  end
end
return answers
"""

#: KEYS: entry. ARGV: token, deliveries that it did not use up.
RELEASE = f"""{_READ}
local state, token, count, ends, holder = read(get(KEYS[1]))
if state ~= 'held' or token ~= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], write('free', token, count - tonumber(ARGV[2]), 0, holder), 'KEEPTTL')
return 1
"""

# An operation is ``busy TOKEN HOLDER`` for as long as its lease, or ``done`` and its outcome while that is kept.

#: KEYS: operation. ARGV: lease (ms), holder.
BEGIN = f"""{_NOW}
local value = redis.call('GET', KEYS[1])
if value then
  if string.sub(value, 1, 5) == 'done ' then return {{'known', string.sub(value, 6)}} end
  return {{'busy', redis.call('PTTL', KEYS[1]), string.sub(string.match(value, '^busy %d+ (.*)$') or '?', 1, 200)}}
end
redis.call('SET', KEYS[1], string.format('busy %.0f %s', now, ARGV[2]), 'PX', ARGV[1])
return {{'begun', string.format('%.0f', now)}}
"""

_MINE = """
local value = redis.call('GET', KEYS[1])
if not value or string.match(value, '^busy (%d+) ') ~= ARGV[1] then return 0 end
"""

#: KEYS: operation. ARGV: token, lease (ms).
EXTEND = f"""{_MINE}
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""

#: KEYS: operation. ARGV: token, ttl (ms), outcome.
KEEP = f"""{_MINE}
redis.call('SET', KEYS[1], 'done ' .. ARGV[3], 'PX', ARGV[2])
return 1
"""

#: KEYS: operation. ARGV: token.
ABANDON = f"""{_MINE}
return redis.call('DEL', KEYS[1])
"""
