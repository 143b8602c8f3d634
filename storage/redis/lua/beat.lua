-- Says that a node is alive, and counts those that are. KEYS: nodes. ARGV: clock, node, for how
-- long a node is counted. Answers how many, and the time.
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', whole(now))
redis.call('ZADD', KEYS[1], whole(now + ARGV[3]), ARGV[2])
redis.call('PEXPIRE', KEYS[1], whole(ARGV[3] * 10))
return {redis.call('ZCARD', KEYS[1]), seconds, nanos}
