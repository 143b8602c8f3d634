package openai

import (
	"strconv"

	"github.com/aistrale/aistrale/providers"
)

// appendUsage is the usage object in OpenAI's form, out of any provider's meters.
func appendUsage(dst []byte, u *providers.Usage) []byte {
	n := u.Called()
	dst = appendCount(dst, '{', "prompt_tokens", n.Input())
	dst = appendCount(dst, ',', "completion_tokens", n.Output)
	dst = appendCount(dst, ',', "total_tokens", n.Input()+n.Output)
	dst = appendCount(append(dst, `,"prompt_tokens_details":`...), '{', "cached_tokens", n.CacheRead)
	if n.AudioIn > 0 {
		dst = appendCount(dst, ',', "audio_tokens", n.AudioIn)
	}
	if n.ImageIn > 0 {
		dst = appendCount(dst, ',', "image_tokens", n.ImageIn)
	}
	if written := n.CacheWrite5m + n.CacheWrite1h; written > 0 {
		dst = appendCount(dst, ',', "cache_write_tokens", written)
	}
	dst = appendCount(append(dst, `},"completion_tokens_details":`...), '{', "reasoning_tokens", n.Reasoning)
	if n.AudioOut > 0 {
		dst = appendCount(dst, ',', "audio_tokens", n.AudioOut)
	}
	dst = append(dst, '}')
	if known(u, providers.CacheWrite5m) || known(u, providers.CacheWrite1h) {
		dst = appendCount(append(dst, `,"cache_creation":`...), '{', "ephemeral_5m_input_tokens", n.CacheWrite5m)
		dst = append(appendCount(dst, ',', "ephemeral_1h_input_tokens", n.CacheWrite1h), '}')
	}
	return append(dst, '}')
}

func known(u *providers.Usage, m providers.Meter) bool {
	for i := range u.Lines {
		if _, ok := u.Lines[i].Get(m); ok {
			return true
		}
	}
	return false
}

func appendCount(dst []byte, before byte, name string, n int64) []byte {
	dst = append(append(dst, before, '"'), name...)
	return strconv.AppendInt(append(dst, '"', ':'), n, 10)
}
