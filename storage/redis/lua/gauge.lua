-- Says how rates, slots and budgets stand, of which nothing is taken.
-- KEYS: since when counters are complete; each rate, each slot, each budget and its leases.
-- ARGV: clock, learn, how many rates, slots and budgets; interval and burst of each rate; rolling
-- span and start of each budget.
-- Answers 1, what each rate has left and its reset (ns), how many of each slot are taken, what each
-- budget has spent and reserved | 2, the budgets to be learnt.
local rates, slots, budgets = ARGV[3], ARGV[4], ARGV[5]
local a, k = 6, 2
local answer, learn = {1}, {}
local function say(n) answer[#answer + 1] = n end

for _ = 1, rates do
  local interval, left = ARGV[a], ARGV[a + 1]
  local text = redis.call('GET', KEYS[k])
  local filled = text and math.max(0, ahead(string.sub(text, 1, 19))) or 0
  if interval > 0 then left = math.max(0, math.floor((interval * left - filled) / interval)) end
  say(left)
  say(filled)
  a, k = a + 2, k + 1
end
for _ = 1, slots do
  say(redis.call('ZCOUNT', KEYS[k], '(' .. whole(now), '+inf'))
  k = k + 1
end
for i = 1, budgets do
  local spent, reserved
  repeat -- some leases run out at a time
    spent, reserved = look(KEYS[k], KEYS[k + 1], ARGV[a], ARGV[a + 1])
  until not spent or redis.call('ZCOUNT', KEYS[k + 1], '-inf', whole(now)) == 0
  if not spent then learn[#learn + 1] = i - 1 end
  say(spent or 0)
  say(reserved)
  a, k = a + 2, k + 2
end
if #learn > 0 then return {2, unpack(learn)} end
return answer
