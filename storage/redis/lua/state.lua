-- Says what a budget has spent and reserved, or 2: it is to be learnt.
-- KEYS: since when counters are complete; the budget and its leases. ARGV: clock, learn, rolling
-- span, start.
while true do
  local spent, reserved = look(KEYS[2], KEYS[3], ARGV[3], ARGV[4])
  if not spent then return {2} end
  if redis.call('ZCOUNT', KEYS[3], '-inf', whole(now)) == 0 then return {1, spent, reserved} end
end
