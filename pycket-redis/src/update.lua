-- Updates a record. Returns 1 on success, 0 if there is no record, -1 if an expectation does not hold, -2 if the value
-- under the key is not a record of this version. All checks come before the first change.
-- ARGV: ttl in milliseconds or ''; the number of fields that must have a value, of fields that must be missing, and of
-- fields to set; then the fields and values that must match, the fields that must be missing, the fields and values to
-- set, the fields to remove.
local key, ttl = KEYS[1], ARGV[1]
local present, absent, set = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local next = 5

local metadata = redis.call('HGET', key, '')
if not metadata and redis.call('EXISTS', key) == 0 then
  -- A replica may not have the record yet. It refuses this write, although the write changes nothing.
  return redis.call('UNLINK', key)
end
if not metadata or string.sub(metadata, 1, 2) ~= '\147\1' then
  return -2
end

for _ = 1, present do
  if redis.call('HGET', key, ARGV[next]) ~= ARGV[next + 1] then
    return -1
  end
  next = next + 2
end
for _ = 1, absent do
  if redis.call('HEXISTS', key, ARGV[next]) == 1 then
    return -1
  end
  next = next + 1
end

-- In chunks, because Lua passes only some thousand arguments at once.
local removals = next + 2 * set
for first = next, removals - 1, 1000 do
  redis.call('HSET', key, unpack(ARGV, first, math.min(first + 999, removals - 1)))
end
for first = removals, #ARGV, 1000 do
  redis.call('HDEL', key, unpack(ARGV, first, math.min(first + 999, #ARGV)))
end
if ttl ~= '' then
  redis.call('PEXPIRE', key, ttl)
end
return 1
