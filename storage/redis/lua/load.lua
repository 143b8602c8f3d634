-- Takes in what the ledger says was spent, where nothing is known of the window yet.
-- KEYS: since when counters are complete; the budget, its leases, its known settlements, and the
-- same gathered by this reader.
-- ARGV: clock, learn, rolling span, end, how many amounts, shares and gathered leases; time and
-- units of each amount; percent and amount of each share. Answers 1 where it was taken in, 0 where
-- it was known, 2 where what was gathered is gone: with it these amounts would count twice.
local hash, known, gathered = KEYS[2], KEYS[4], KEYS[5]
local span, finish = ARGV[3], ARGV[4]
if redis.call('HEXISTS', hash, 'spent') == 1 then
  redis.call('DEL', gathered)
  return 0
end
if redis.call('SCARD', gathered) < ARGV[7] then return 2 end
if redis.call('EXISTS', gathered) == 1 then
  redis.call('RENAME', gathered, known)
end
begin(hash, span, finish)
redis.call('HSET', hash, 'loaded', whole(now))
local a = 8
for _ = 1, ARGV[5] do
  local at, units = ARGV[a], ARGV[a + 1]
  if span <= 0 then
    spend(hash, span, units)
  else
    local slice = math.min(math.floor(at / width(span)), math.floor(now / width(span)))
    if slice > math.floor(now / width(span)) - slices then spend(hash, span, units, slice) end
  end
  a = a + 2
end
if span > 0 then roll(hash, span) end
-- What was settled meanwhile counts, but for what the ledger had already.
for _, field in ipairs(redis.call('HKEYS', hash)) do
  if string.sub(field, 1, 1) == 'e' then
    local amount = tonumber(redis.call('HGET', hash, field))
    redis.call('HDEL', hash, field)
    if redis.call('SADD', known, string.sub(field, 2)) == 1 then spend(hash, span, amount) end
  end
end
redis.call('PEXPIRE', known, 600000)
-- Shares that it stands above were told of before.
local spent = tonumber(redis.call('HGET', hash, 'spent'))
for _ = 1, ARGV[6] do
  if spent >= ARGV[a + 1] then redis.call('HSET', hash, 't' .. ARGV[a], whole(now)) end
  a = a + 2
end
return 1
