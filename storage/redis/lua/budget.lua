-- A budget is a hash: "spent", "reserved", "l<lease>" what a lease holds of it, "x<lease>" what
-- was charged, and to which slice, when a lease ran out, "e<lease>" what was settled before the
-- ledger was read, "t<share>" when a threshold was told, "loaded" when the ledger was read,
-- "named" since when it named its leases then, and "loading", in place of spent, while that is
-- being taken in; in rolling windows "s<slice>" what was spent in a slice and "head", the newest
-- slice. Beside it a sorted set has the l and x fields by when they run out, and the e fields,
-- after all of those, by when their attempts began; and a set has the leases that were settled
-- before the ledger was read and are counted.
local slices = 60
local early = 1e14 -- what e fields are moved on by in the sorted set: no lease lasts so long
local day = 86400000
local most = 2 ^ 52 -- of one amount: a sum of many must stay an integer of 64 bits

-- since is when counters began to be complete: KEYS[1] has it, which is lost with all else.
local born
local function since()
  if not born then
    born = tonumber(redis.call('GET', KEYS[1]))
    if not born then
      born = now
      redis.call('SET', KEYS[1], whole(now))
    end
  end
  return born
end

-- learnt says whether counters that know nothing of a window know that nothing was spent in it.
local function learnt(span, start)
  if ARGV[2] == 0 then return true end
  local from = since() -- also where it is not needed: what begins from now on is then known
  if start < 0 then return false end -- nobody counted it when it began
  if span > 0 then return now - from >= span end
  return start > 0 and start >= from
end

local function width(span) return math.max(1, math.ceil(span / (slices - 1))) end

-- roll moves a rolling window on to now. A slice goes when all of it is older than the window.
local function roll(hash, span)
  local to = math.floor(now / width(span))
  local head = tonumber(redis.call('HGET', hash, 'head'))
  if head and head >= to then return end
  if head then
    local gone, sum = {}, 0
    for s = head - slices + 1, math.min(head, to - slices) do gone[#gone + 1] = 's' .. whole(s) end
    if #gone > 0 then
      for _, units in ipairs(redis.call('HMGET', hash, unpack(gone))) do sum = sum + (tonumber(units) or 0) end
      redis.call('HDEL', hash, unpack(gone))
      local field = redis.call('HEXISTS', hash, 'loading') == 1 and 'loading' or 'spent'
      if sum ~= 0 then redis.call('HINCRBY', hash, field, whole(-sum)) end
    end
  end
  redis.call('HSET', hash, 'head', whole(to))
end

-- spend charges an amount now, or in an older slice, and gives the slice.
local function spend(hash, span, amount, slice, field)
  redis.call('HINCRBY', hash, field or 'spent', whole(amount))
  if span <= 0 then return 0 end
  slice = slice or math.floor(now / width(span))
  redis.call('HINCRBY', hash, 's' .. whole(slice), whole(amount))
  return slice
end

local function reserve(hash, amount) redis.call('HINCRBY', hash, 'reserved', whole(amount)) end

-- remember has a lease as one that ran out and was charged an amount, in a slice, for a day:
-- somebody may know better.
local function remember(hash, leases, lease, amount, slice)
  redis.call('HSET', hash, 'x' .. lease, whole(amount) .. ' ' .. whole(slice))
  redis.call('ZADD', leases, whole(now + day), 'x' .. lease)
  redis.call('PEXPIRE', leases, whole(2 * day))
end

-- expire charges leases that nobody kept alive with what they hold.
local function expire(hash, leases, span)
  local due = redis.call('ZRANGEBYSCORE', leases, '-inf', whole(now), 'LIMIT', 0, 100)
  for _, field in ipairs(due) do
    local held = tonumber(redis.call('HGET', hash, field))
    redis.call('HDEL', hash, field)
    redis.call('ZREM', leases, field)
    if held and string.sub(field, 1, 1) == 'l' then
      reserve(hash, -held)
      remember(hash, leases, string.sub(field, 2), held, spend(hash, span, held))
    end
  end
  return #due
end

-- look brings a budget up to date and says what was spent, nil where only the ledger knows, and
-- what is reserved.
local function look(hash, leases, span, start)
  if span > 0 then roll(hash, span) end
  local v = redis.call('HMGET', hash, 'spent', 'reserved', 'loading')
  if not v[1] and (v[3] or not learnt(span, start)) then return nil, tonumber(v[2]) or 0, true end
  if expire(hash, leases, span) > 0 then v = redis.call('HMGET', hash, 'spent', 'reserved') end
  return tonumber(v[1]) or 0, tonumber(v[2]) or 0, not v[1]
end

-- keep says for how long the counter is of use.
local function keep(hash, span, finish)
  if span > 0 then
    redis.call('PEXPIRE', hash, whole(span + day))
  elseif finish > 0 then
    redis.call('PEXPIREAT', hash, whole(finish + day))
  end
end

-- begin writes that a budget is known.
local function begin(hash, span, finish)
  redis.call('HSETNX', hash, 'spent', 0)
  keep(hash, span, finish)
end

-- release gives back what a lease holds, and says how much that was.
local function release(hash, leases, lease)
  local held = tonumber(redis.call('HGET', hash, 'l' .. lease))
  if held then
    redis.call('HDEL', hash, 'l' .. lease)
    redis.call('ZREM', leases, 'l' .. lease)
    reserve(hash, -held)
  end
  return held
end

-- price is what so many tokens cost at a price for a million, rounded up.
local function price(tokens, million)
  local each = math.floor(million / 1e6)
  return tokens * each + math.ceil(tokens * (million - each * 1e6) / 1e6)
end

-- affords is how many tokens, up to want, an amount pays for; -1 where it is less than nothing.
local function affords(left, million, want)
  if left < 0 then return -1 end
  if million <= 0 then return want end
  local tokens = math.min(want, math.floor(left / million * 1e6))
  while tokens > 0 and price(tokens, million) > left do tokens = tokens - 1 end
  while tokens < want and price(tokens + 1, million) <= left do tokens = tokens + 1 end
  return tokens
end

-- falls is how many milliseconds until so much has fallen out of a rolling window, 0 for never.
local function falls(hash, span, amount)
  local w = width(span)
  local head = tonumber(redis.call('HGET', hash, 'head')) or math.floor(now / w)
  local names = {}
  for s = head - slices + 1, head do names[#names + 1] = 's' .. whole(s) end
  for i, units in ipairs(redis.call('HMGET', hash, unpack(names))) do
    amount = amount - (tonumber(units) or 0)
    if amount <= 0 then return math.max(1, (head + i) * w - now) end
  end
  return 0
end
