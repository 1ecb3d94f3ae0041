-- Creates a record. Returns 1, or 0 if there is one already.
if redis.call('EXISTS', KEYS[1]) == 1 then
  return 0
end
-- In chunks, because Lua passes only some thousand arguments at once.
for first = 2, #ARGV, 1000 do
  redis.call('HSET', KEYS[1], unpack(ARGV, first, math.min(first + 999, #ARGV)))
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
