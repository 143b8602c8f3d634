-- Takes a lock, or holds it for longer, where no other node has it; or lets go of it.
-- KEYS: the lock. ARGV: clock, node, for how long, 0 to let go. Answers 1 where the node has it.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[2] then return 0 end
if ARGV[3] > 0 then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', whole(ARGV[3]))
else
  redis.call('DEL', KEYS[1])
end
return 1
