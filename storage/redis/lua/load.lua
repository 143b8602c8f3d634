-- Takes in what the ledger says was spent, where nothing is known of the window yet: the ledger's
-- amounts first, then in pieces what was settled before it was read. Until all of that is in, the
-- budget is not known; whoever reads it next goes on where another left off.
-- KEYS: since when counters are complete; the budget, its leases, its known settlements, and the
-- same gathered by this reader.
-- ARGV: clock, learn, rolling span, end, since when the ledger named its leases, how many amounts,
-- shares and gathered leases; time and units of each amount; percent and amount of each share.
-- Answers 1 where it is taken in, 0 where it was known, 2 where what was gathered is gone: with it
-- these amounts would count twice, 3 where there is more to take in, or 4 and when an attempt
-- began that was settled and may be among the amounts without its name.
local hash, leases, known, gathered = KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local span, finish, named = ARGV[3], ARGV[4], ARGV[5]
local piece = 500
local skew = 30000 -- how much earlier than an attempt its entry may be dated
if redis.call('HEXISTS', hash, 'spent') == 1 then
  redis.call('DEL', gathered)
  return {0, 0}
end
local a = 9
if redis.call('HEXISTS', hash, 'loading') == 0 then
  local first = redis.call('ZRANGEBYSCORE', leases, whole(early), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  local began = first[2] and tonumber(first[2]) - early
  if began and began < named + skew then return {4, began} end
  if redis.call('SCARD', gathered) < ARGV[8] then return {2, 0} end
  if redis.call('EXISTS', gathered) == 1 then
    redis.call('RENAME', gathered, known)
    redis.call('PEXPIRE', known, 600000)
  end
  redis.call('HSET', hash, 'loading', 0)
  redis.call('HSET', hash, 'loaded', whole(now))
  redis.call('HSET', hash, 'named', whole(named))
  keep(hash, span, finish)
  for _ = 1, ARGV[6] do
    local at, units = ARGV[a], ARGV[a + 1]
    if span <= 0 then
      spend(hash, span, units, nil, 'loading')
    else
      local slice = math.min(math.floor(at / width(span)), math.floor(now / width(span)))
      if slice > math.floor(now / width(span)) - slices then spend(hash, span, units, slice, 'loading') end
    end
    a = a + 2
  end
else
  a = a + 2 * ARGV[6]
end
if span > 0 then roll(hash, span) end
-- What was settled meanwhile counts, but for what the ledger had already.
local due = redis.call('ZRANGEBYSCORE', leases, whole(early), '+inf', 'LIMIT', 0, piece)
if #due > 0 then
  for i, amount in ipairs(redis.call('HMGET', hash, unpack(due))) do
    if amount and redis.call('SADD', known, string.sub(due[i], 2)) == 1 then
      spend(hash, span, tonumber(amount), nil, 'loading')
    end
  end
  redis.call('HDEL', hash, unpack(due))
  redis.call('ZREM', leases, unpack(due))
  redis.call('PEXPIRE', known, 600000)
  if #due == piece then return {3, 0} end
end
local spent = redis.call('HGET', hash, 'loading')
redis.call('HSET', hash, 'spent', spent)
redis.call('HDEL', hash, 'loading')
redis.call('DEL', gathered)
-- Shares that it stands above were told of before.
for _ = 1, ARGV[7] do
  if tonumber(spent) >= ARGV[a + 1] then redis.call('HSET', hash, 't' .. ARGV[a], whole(now)) end
  a = a + 2
end
return {1, 0}
