-- Sets fields of a record, and its life, as most writes do. Returns 1, or 0 if there is no record.
-- ARGV: ttl in milliseconds; then fields and values.
local key, added = KEYS[1], 0
-- In parts: Lua can hand over only some thousand arguments at once.
for first = 2, #ARGV, 1000 do
  added = added + redis.call('HSET', key, unpack(ARGV, first, math.min(first + 999, #ARGV)))
end
-- None of them was there: perhaps there was no record. Asked only now, because writes seldom add alone.
if added * 2 == #ARGV - 1 and redis.call('HLEN', key) == added then
  redis.call('UNLINK', key)
  return 0
end
redis.call('PEXPIRE', key, ARGV[1])
return 1
