-- Sets fields and the ttl of a record, as most writes do. Returns 1, or 0 if there is no record.
-- ARGV: ttl in milliseconds; then fields and values.
local key, added = KEYS[1], 0
-- In chunks, because Lua passes only some thousand arguments at once.
for first = 2, #ARGV, 1000 do
  added = added + redis.call('HSET', key, unpack(ARGV, first, math.min(first + 999, #ARGV)))
end
-- All fields are new, so there may have been no record. Most writes change a field and need no such check.
if added * 2 == #ARGV - 1 and redis.call('HLEN', key) == added then
  redis.call('UNLINK', key)
  return 0
end
redis.call('PEXPIRE', key, ARGV[1])
return 1
