-- The arguments are one MessagePack array: that is less to read than as many words.
local ARGV = cmsgpack.unpack(ARGV[1])

-- ARGV[1] is how many seconds the counters' clock is ahead of the server's: 0 but in tests.
-- Times of rates are 19 digits of nanoseconds since 1970: more than a number holds, so they are
-- reckoned from now. All else is in milliseconds.
local seconds = redis.call('TIME')
local nanos = tonumber(seconds[2]) * 1000
seconds = tonumber(seconds[1]) + ARGV[1]
local now = seconds * 1000 + math.floor(nanos / 1000000)

-- whole writes a number in full; Lua's own way rounds to 14 digits.
local function whole(n) return string.format('%.0f', n) end

-- ahead is by how many nanoseconds a time of 19 digits is ahead of now.
local function ahead(time)
  return (tonumber(string.sub(time, 1, 10)) - seconds) * 1e9 + tonumber(string.sub(time, 11)) - nanos
end

-- later is the time so many nanoseconds from now, in 19 digits; it stops short of the year 2286.
local function later(ns)
  local n = nanos + math.min(ns, 2e18)
  local up = math.floor(n / 1e9)
  return string.format('%010.0f%09.0f', seconds + up, n - up * 1e9)
end

-- hold outlives what it is for by an hour: a clock may be set back.
local hold = 3600000
