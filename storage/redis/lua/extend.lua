-- Makes a lease hold more of every budget, or of none. It is a sign of life.
-- KEYS: since when counters are complete; each slot; each budget and its leases.
-- ARGV: clock, learn, lease, alive, how many slots and budgets; limit, what it holds, what it is
-- to hold, rolling span, start and advisory of each budget.
-- Answers 1 | 0: a budget cannot pay, or the lease has run out | 2: a budget is to be learnt.
local lease, alive = ARGV[3], ARGV[4]
local slots, budgets = ARGV[5], ARGV[6]
local a, k = 7, 2 + slots
local fits = 1
for _ = 1, budgets do
  local limit, held, amount = ARGV[a], ARGV[a + 1], ARGV[a + 2]
  local spent, reserved = look(KEYS[k], KEYS[k + 1], ARGV[a + 3], ARGV[a + 4])
  if not spent then return 2 end
  -- A lease that Redis lost is held anew, so all of it has to fit.
  local known = tonumber(redis.call('HGET', KEYS[k], 'l' .. lease))
  if redis.call('HEXISTS', KEYS[k], 'x' .. lease) == 1 then return 0 end
  local more = amount - (known or 0)
  if ARGV[a + 5] == 0 and amount > held and more > limit - spent - reserved then fits = 0 end
  a, k = a + 6, k + 2
end
for i = 2, 1 + slots do
  redis.call('ZADD', KEYS[i], whole(now + alive), lease)
  redis.call('PEXPIRE', KEYS[i], whole(alive + hold))
end
a, k = 7, 2 + slots
for _ = 1, budgets do
  local amount = math.min(most, tonumber(fits == 1 and ARGV[a + 2] or ARGV[a + 1]))
  reserve(KEYS[k], amount - (tonumber(redis.call('HGET', KEYS[k], 'l' .. lease)) or 0))
  redis.call('HSET', KEYS[k], 'l' .. lease, whole(amount))
  redis.call('ZADD', KEYS[k + 1], whole(now + alive), 'l' .. lease)
  redis.call('PEXPIRE', KEYS[k + 1], whole(alive + day))
  a, k = a + 6, k + 2
end
return fits
