-- Returns 1 if it was done, 0 if there is no record, -1 if an expectation does not hold.
-- ARGV: ttl in milliseconds or '', how many fields are expected to have a value, how many to be
-- missing, how many to set; then the expected (field, value), the expected missing (field), those to set
-- (field, value), those to remove (field).
local key, ttl = KEYS[1], ARGV[1]
local present, absent, set = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local next = 5

if present + absent > 0 then
  if redis.call('EXISTS', key) == 0 then
    return 0
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
end

-- Renewing the life also tells whether there is one.
if ttl ~= '' then
  if redis.call('PEXPIRE', key, ttl) == 0 then
    return 0
  end
elseif redis.call('EXISTS', key) == 0 then
  return 0
end

-- In parts: Lua can hand over only some thousand arguments at once.
local removals = next + 2 * set
for first = next, removals - 1, 1000 do
  redis.call('HSET', key, unpack(ARGV, first, math.min(first + 999, removals - 1)))
end
for first = removals, #ARGV, 1000 do
  redis.call('HDEL', key, unpack(ARGV, first, math.min(first + 999, #ARGV)))
end
return 1
