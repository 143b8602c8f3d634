-- Takes in a batch of settlements and signs of life, once: a node numbers its batches and sends
-- one at a time, so one that is not newer than the last has been here before.
-- KEYS: since when counters are complete; the node's last batch; of each item its rates, its
-- slots, and each budget with its leases and its known settlements.
-- ARGV: clock, learn, batch, how many items; of each item "settle", "charge" (nobody reserved
-- it here), "again" (it was told to a Redis that is gone), "undo" (it is given back as if it had
-- never been; a settlement of the same lease may follow), "inherit" (another node had it, which
-- died; an amount below 0 is all that it held) or "renew", lease, alive, when it was
-- taken (19 digits), when it was settled, how many rates, slots and budgets; interval and units
-- more or less of each rate; amount, rolling span, start, end, how many shares, and percent and
-- amount of each share, of each budget.
-- Answers the budgets to be learnt as pairs of item and budget, the thresholds that were come to
-- as item, budget, percent and what was spent, and since when counters are complete.
local last = redis.call('GET', KEYS[2])
if last then
  local number, said = string.match(last, '^(%d+) (.*)$')
  if tonumber(number) >= ARGV[3] then
    return said ~= '' and cmsgpack.unpack(said) or {{}, {}, since()}
  end
end

local learn, told = {}, {}
local recent = 120000 -- how far back the ledger names its leases at least
local skew = 10000 -- how far apart the clocks of nodes and of servers that follow another may be

local function store(key, full, rest)
  redis.call('SET', key, later(full) .. rest, 'PX', whole(math.max(0, math.ceil(full / 1e6)) + hold))
end

-- correct charges a rate more or less. What was worked off since it was taken is not given back:
-- where the rate was idle in between, taking less would not have left more.
local function correct(key, interval, units, taken)
  local text = redis.call('GET', key)
  if units == 0 or units < 0 and not text then return end
  local full = text and ahead(string.sub(text, 1, 19)) or -1
  local busy, past = text and string.sub(text, 20, 38) or later(0), text and string.sub(text, 39) or ''
  if units < 0 and taken < busy then return end
  if units > 0 and full <= 0 then full, busy = 0, later(0) end
  store(key, full + interval * units, busy .. past)
end

-- catchUp charges a rate what was served while Redis was away, as if it had been charged then:
-- it has been worked off since, but for what reaches into the time that the rate is busy again.
-- How far that is stands third in the rate.
local function catchUp(key, interval, units, taken)
  local text = redis.call('GET', key)
  local from = math.min(0, ahead(taken))
  local full, busy, past = from, from, -math.huge
  if text then
    full, busy = ahead(string.sub(text, 1, 19)), ahead(string.sub(text, 20, 38))
    if #text > 38 then past = ahead(string.sub(text, 39)) end
  end
  local to = math.max(past, from) + interval * math.max(0, units)
  full = full + math.max(to, busy) - math.max(past, busy)
  store(key, full, later(busy) .. later(to))
end

local function cross(item, budget, hash, span, a)
  local spent
  for s = 1, ARGV[a] do
    local share = ARGV[a + 2 * s - 1]
    spent = spent or tonumber(redis.call('HGET', hash, 'spent')) or 0
    if spent >= ARGV[a + 2 * s] then
      local at = tonumber(redis.call('HGET', hash, 't' .. share))
      if not at or span > 0 and now - at >= span then
        redis.call('HSET', hash, 't' .. share, whole(now))
        told[#told + 1] = {item, budget, share, spent}
      end
    end
  end
end

-- late corrects what was charged when the lease ran out. What has fallen out of a rolling window
-- is not corrected downwards.
local function late(hash, leases, lease, span, amount)
  local x = redis.call('HGET', hash, 'x' .. lease)
  if not x then return false end
  local charged, slice = string.match(x, '^(%d+) (%d+)$')
  amount, slice = amount - tonumber(charged), tonumber(slice)
  redis.call('HDEL', hash, 'x' .. lease)
  redis.call('ZREM', leases, 'x' .. lease)
  if span <= 0 then
    spend(hash, span, amount)
  elseif slice > math.floor(now / width(span)) - slices then
    spend(hash, span, amount, slice)
  elseif amount > 0 then
    spend(hash, span, amount)
  end
  return true
end

-- wait keeps what was settled until the ledger is read.
local function wait(hash, leases, lease, amount, began)
  redis.call('HSET', hash, 'e' .. lease, whole(amount))
  redis.call('ZADD', leases, whole(early + began), 'e' .. lease)
  redis.call('PEXPIRE', leases, whole(2 * day))
end

-- charge settles one budget; false says that the ledger must be read first. What was settled
-- before the ledger was read is charged unless the ledger had it, or it was told before.
local function charge(k, lease, amount, at, began, span, start, finish, again)
  local hash, leases, known = KEYS[k], KEYS[k + 1], KEYS[k + 2]
  if finish > 0 and now > finish + day then return true end
  local spent, _, fresh = look(hash, leases, span, start)
  if not spent then
    release(hash, leases, lease)
    wait(hash, leases, lease, amount, began)
    return false
  end
  if fresh then begin(hash, span, finish) end
  local read = redis.call('HMGET', hash, 'loaded', 'named')
  local loaded, named = tonumber(read[1]), tonumber(read[2])
  local held = release(hash, leases, lease)
  if loaded and (again or at < loaded + skew) then
    if at < named or redis.call('SADD', known, lease) == 0 then return true end
    redis.call('PEXPIRE', known, 600000)
  elseif again then
    return true
  end
  if held or not late(hash, leases, lease, span, amount) then spend(hash, span, amount) end
  return true
end

-- undo gives back what a lease holds, or was charged because it ran out.
local function undo(k, lease, span, start)
  local hash, leases = KEYS[k], KEYS[k + 1]
  local held = release(hash, leases, lease)
  if not held and look(hash, leases, span, start) then late(hash, leases, lease, span, 0) end
end

-- inherit settles a lease of a node that died, where it is open or ran out. It leaves it as one
-- that ran out, so that whoever knows still better is heard. Where the ledger is still to be read,
-- it may be read from before it had this.
local function inherit(k, lease, amount, at, span, start, finish)
  local hash, leases = KEYS[k], KEYS[k + 1]
  if finish > 0 and now > finish then return true end
  local known = look(hash, leases, span, start)
  local held = release(hash, leases, lease)
  if not known then
    if amount >= 0 and at >= now - recent then wait(hash, leases, lease, amount, at) end
    return false
  end
  if held then
    if amount < 0 then amount = held end
    remember(hash, leases, lease, amount, spend(hash, span, amount))
  elseif amount >= 0 then
    late(hash, leases, lease, span, amount)
  end
  return true
end

-- renew keeps a lease alive, with what its holder says that it holds: Redis may have lost it.
local function renew(k, lease, amount, alive)
  local hash = KEYS[k]
  if redis.call('HEXISTS', hash, 'x' .. lease) == 1 then return end
  local held = tonumber(redis.call('HGET', hash, 'l' .. lease)) or 0
  if held ~= amount then
    redis.call('HSET', hash, 'l' .. lease, whole(amount))
    reserve(hash, amount - held)
  end
  redis.call('ZADD', KEYS[k + 1], whole(now + alive), 'l' .. lease)
  redis.call('PEXPIRE', KEYS[k + 1], whole(alive + day))
end

local a, k = 5, 3
for item = 0, ARGV[4] - 1 do
  local what, lease, alive, taken, at = ARGV[a], ARGV[a + 1], ARGV[a + 2], ARGV[a + 3], ARGV[a + 4]
  local rates, slots, budgets = ARGV[a + 5], ARGV[a + 6], ARGV[a + 7]
  a = a + 8
  local charged = what == 'charge' and catchUp or correct
  for _ = 1, rates do
    charged(KEYS[k], ARGV[a], ARGV[a + 1], taken)
    a, k = a + 2, k + 1
  end
  for _ = 1, slots do
    if what == 'renew' then
      redis.call('ZADD', KEYS[k], whole(now + alive), lease)
      redis.call('PEXPIRE', KEYS[k], whole(alive + hold))
    else
      redis.call('ZREM', KEYS[k], lease)
    end
    k = k + 1
  end
  for budget = 0, budgets - 1 do
    local amount = math.min(most, ARGV[a])
    local span, start, finish = ARGV[a + 1], ARGV[a + 2], ARGV[a + 3]
    if what == 'renew' then
      renew(k, lease, amount, alive)
    elseif what == 'inherit' then
      if inherit(k, lease, amount, at, span, start, finish) then
        cross(item, budget, KEYS[k], span, a + 4)
      else
        learn[#learn + 1] = {item, budget}
      end
    elseif what == 'undo' then
      undo(k, lease, span, start)
    elseif charge(k, lease, amount, at, math.floor((tonumber(taken) or at * 1e6) / 1e6), span, start, finish, what == 'again') then
      cross(item, budget, KEYS[k], span, a + 4)
    else
      learn[#learn + 1] = {item, budget}
    end
    a, k = a + 5 + 2 * ARGV[a + 4], k + 3
  end
end
local answer = {learn, told, since()}
local said = ''
if #learn > 0 or #told > 0 then said = cmsgpack.pack(answer) end
redis.call('SET', KEYS[2], whole(ARGV[3]) .. ' ' .. said, 'PX', whole(hold))
return answer
