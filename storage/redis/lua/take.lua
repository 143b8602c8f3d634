-- Of each call, grants all that it asks, or changes nothing that counts. Calls that come together
-- are asked together, one after another.
-- KEYS: since when counters are complete; of each call each rate, each slot, each budget and its
-- leases.
-- ARGV: clock, learn, how many calls; of each lease, alive, output, least, how many rates, slots
-- and budgets; interval, burst and cost of each rate; limit of each slot; limit, fixed, per
-- million, rolling span, start, end and advisory of each budget.
-- Answers of each call 1, output | 0, kind, index, wait (ns), held | 2, the budgets to be learnt |
-- 3, what went wrong; of the first two then the time, what each rate has left and its reset (ns),
-- what each budget has spent and reserved.
local HELD, SLOT, TIME, NEVER = 1, 2, 3, 4

local function take(a, k)
  local lease, alive, output, least = ARGV[a], ARGV[a + 1], ARGV[a + 2], ARGV[a + 3]
  local rates, slots, budgets = ARGV[a + 4], ARGV[a + 5], ARGV[a + 6]
  local first = k
  a = a + 7

  -- What stands in the way the most: the higher block, then the longer wait.
  local kind, index, wait, block = 0, 0, 0, 0
  local function refuse(of, i, ns, how)
    if how > block or how == block and ns > wait then kind, index, wait, block = of, i - 1, ns, how end
  end

  local after, busy, filled, lasts, room = {}, {}, {}, {}, {}
  for i = 1, rates do
    local interval, burst, cost = ARGV[a], ARGV[a + 1], ARGV[a + 2]
    local text = redis.call('GET', KEYS[k])
    local full = text and ahead(string.sub(text, 1, 19)) or 0
    if full > 0 then busy[i] = string.sub(text, 20) else full, busy[i] = 0, later(0) .. string.sub(text or '', 39) end
    filled[i], after[i], lasts[i], room[i] = full, full + interval * cost, interval, burst
    if cost > burst then
      refuse(1, i, 0, NEVER)
    elseif after[i] > interval * burst then
      refuse(1, i, after[i] - interval * burst, TIME)
    end
    a, k = a + 3, k + 1
  end
  for i = 1, slots do
    redis.call('ZREMRANGEBYSCORE', KEYS[k], '-inf', whole(now))
    if redis.call('ZCARD', KEYS[k]) >= ARGV[a] then refuse(2, i, 1e9, SLOT) end
    a, k = a + 1, k + 1
  end

  local spents, reserves, fresh, learn = {}, {}, {}, {}
  local want = output
  for i = 1, budgets do
    local limit, fixed, million = ARGV[a], ARGV[a + 1], ARGV[a + 2]
    local span, start, finish = ARGV[a + 3], ARGV[a + 4], ARGV[a + 5]
    local spent, reserved, new = look(KEYS[k], KEYS[k + 1], span, start)
    spents[i], reserves[i], fresh[i] = spent, reserved, new
    if not spent then
      learn[#learn + 1] = i - 1
    elseif ARGV[a + 6] == 0 then
      local tokens = affords(limit - spent - reserved - fixed, million, want)
      if tokens < least then
        local need, ms = fixed + price(least, million), 0
        if need <= limit then
          if span > 0 then
            ms = falls(KEYS[k], span, need - (limit - spent - reserved))
          elseif finish > 0 then
            ms = math.max(1, finish - now)
          end
        end
        local how = TIME
        if need <= limit - spent then how = HELD elseif ms == 0 then how = NEVER end
        refuse(3, i, ms * 1e6, how)
      end
      output = math.min(output, tokens)
    end
    a, k = a + 7, k + 2
  end
  if #learn > 0 then return cmsgpack.pack({2, unpack(learn)}) end

  local answer
  if block > 0 then
    answer = {0, kind, index, wait, block == HELD and 1 or 0, seconds, nanos}
  else
    answer = {1, output, 0, 0, 0, seconds, nanos}
    k = first
    for i = 1, rates do
      filled[i] = after[i]
      redis.call('SET', KEYS[k], later(after[i]) .. busy[i], 'PX', whole(math.ceil(after[i] / 1e6) + hold))
      k = k + 1
    end
    for _ = 1, slots do
      redis.call('ZADD', KEYS[k], whole(now + alive), lease)
      redis.call('PEXPIRE', KEYS[k], whole(alive + hold))
      k = k + 1
    end
    a = a - 7 * budgets
    for i = 1, budgets do
      local hash, leases = KEYS[k], KEYS[k + 1]
      local span, finish = ARGV[a + 3], ARGV[a + 5]
      local amount = math.min(most, ARGV[a + 1] + price(output, ARGV[a + 2]))
      if fresh[i] then begin(hash, span, finish) elseif span > 0 then keep(hash, span, finish) end
      redis.call('HSET', hash, 'l' .. lease, whole(amount))
      reserve(hash, amount)
      redis.call('ZADD', leases, whole(now + alive), 'l' .. lease)
      redis.call('PEXPIRE', leases, whole(alive + day))
      reserves[i] = reserves[i] + amount
      a, k = a + 7, k + 2
    end
  end
  for i = 1, rates do
    local left = room[i]
    if lasts[i] > 0 then left = math.max(0, math.floor((lasts[i] * room[i] - filled[i]) / lasts[i])) end
    answer[#answer + 1] = left
    answer[#answer + 1] = filled[i]
  end
  for i = 1, budgets do
    answer[#answer + 1] = spents[i]
    answer[#answer + 1] = reserves[i]
  end
  return cmsgpack.pack(answer)
end

local said, a, k = {}, 4, 2
for i = 1, ARGV[3] do
  local fine, answer = pcall(take, a, k)
  if not fine then answer = cmsgpack.pack({3, type(answer) == 'table' and answer.err or answer}) end
  said[i] = answer
  local rates, slots, budgets = ARGV[a + 4], ARGV[a + 5], ARGV[a + 6]
  a, k = a + 7 + 3 * rates + slots + 7 * budgets, k + rates + slots + 2 * budgets
end
return table.concat(said)
