package redis

import (
	_ "embed"

	goredis "github.com/redis/go-redis/v9"
)

var (
	//go:embed lua/clock.lua
	luaClock string
	//go:embed lua/budget.lua
	luaBudget string
	//go:embed lua/take.lua
	luaTake string
	//go:embed lua/extend.lua
	luaExtend string
	//go:embed lua/settle.lua
	luaSettle string
	//go:embed lua/load.lua
	luaLoad string
	//go:embed lua/state.lua
	luaState string
	//go:embed lua/beat.lua
	luaBeat string
)

// The scripts. Redis has no way for scripts to share code that works before version 7.
var (
	scriptTake   = goredis.NewScript(luaClock + luaBudget + luaTake)
	scriptExtend = goredis.NewScript(luaClock + luaBudget + luaExtend)
	scriptSettle = goredis.NewScript(luaClock + luaBudget + luaSettle)
	scriptLoad   = goredis.NewScript(luaClock + luaBudget + luaLoad)
	scriptState  = goredis.NewScript(luaClock + luaBudget + luaState)
	scriptBeat   = goredis.NewScript(luaClock + luaBeat)
)
