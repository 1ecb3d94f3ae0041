-- Deletes a record. Returns it, or nothing if there was none.
local record = redis.call('HGETALL', KEYS[1])
redis.call('UNLINK', KEYS[1])
return record
