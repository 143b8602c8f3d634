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
	//go:embed lua/lock.lua
	luaLock string
	//go:embed lua/gauge.lua
	luaGauge string
	//go:embed lua/beat.lua
	luaBeat string
)

// script is what Redis runs for a call.
type script struct {
	text, hash string
	shared     bool // one command may carry many calls
}

func newScript(text string) *script { return &script{text: text, hash: goredis.NewScript(text).Hash()} }

// The scripts. Redis has no way for scripts to share code that works before version 7.
var (
	scriptTake   = newShared(luaClock + luaBudget + luaTake)
	scriptExtend = newScript(luaClock + luaBudget + luaExtend)
	scriptSettle = newScript(luaClock + luaBudget + luaSettle)
	scriptLoad   = newScript(luaClock + luaBudget + luaLoad)
	scriptLock   = newScript(luaClock + luaLock)
	scriptGauge  = newScript(luaClock + luaBudget + luaGauge)
	scriptBeat   = newScript(luaClock + luaBeat)
)

func newShared(text string) *script {
	s := newScript(text)
	s.shared = true
	return s
}
