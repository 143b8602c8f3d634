package storage

import "time"

// Figures are totals as the APIs show them.
type Figures struct {
	Requests         int64   `json:"requests" doc:"Each once, however many attempts it took"`
	Errors           int64   `json:"errors" doc:"Of them, those that the client saw fail"`
	Attempts         int64   `json:"attempts"`
	InputTokens      int64   `json:"input_tokens" doc:"Cached ones included"`
	OutputTokens     int64   `json:"output_tokens" doc:"Reasoning included"`
	CacheReadTokens  int64   `json:"cache_read_tokens"`
	CacheWriteTokens int64   `json:"cache_write_tokens"`
	ReasoningTokens  int64   `json:"reasoning_tokens"`
	AudioInTokens    int64   `json:"audio_in_tokens"`
	AudioOutTokens   int64   `json:"audio_out_tokens"`
	Images           int64   `json:"images"`
	Searches         int64   `json:"searches"`
	Characters       int64   `json:"characters" doc:"Of text to be spoken"`
	AudioInSeconds   float64 `json:"audio_in_seconds"`
	AudioOutSeconds  float64 `json:"audio_out_seconds"`
	// CostUSD is what is known to have been spent; nil where nothing is known of any attempt.
	CostUSD   *string `json:"cost_usd" doc:"Decimal text, exact to 0.000000001, of the attempts whose cost is known; null where none is"`
	Unpriced  int64   `json:"unpriced" doc:"Attempts without a known cost"`
	Estimated int64   `json:"estimated" doc:"Attempts whose tokens the gateway counted itself"`

	LatencyP50    *float64 `json:"latency_p50_ms" doc:"Of whole requests; null where there are none"`
	LatencyP90    *float64 `json:"latency_p90_ms"`
	LatencyP99    *float64 `json:"latency_p99_ms"`
	FirstTokenP50 *float64 `json:"first_token_p50_ms" doc:"Until the first content of streams; null where there are none"`
	FirstTokenP90 *float64 `json:"first_token_p90_ms"`
	FirstTokenP99 *float64 `json:"first_token_p99_ms"`
}

// Figures gives the totals as the APIs show them.
func (t *Totals) Figures() Figures {
	f := Figures{
		Requests: t[Requests], Errors: t[Errors], Attempts: t[Attempts],
		InputTokens: t[InputTokens], OutputTokens: t[OutputTokens], CacheReadTokens: t[CacheReadTokens], CacheWriteTokens: t[CacheWriteTokens],
		ReasoningTokens: t[ReasoningTokens], AudioInTokens: t[AudioInTokens], AudioOutTokens: t[AudioOutTokens],
		Images: t[Images], Searches: t[Searches], Characters: t[Characters],
		AudioInSeconds: float64(t[AudioInMs]) / 1000, AudioOutSeconds: float64(t[AudioOutMs]) / 1000,
		Unpriced: t[Unpriced], Estimated: t[Estimated],
	}
	if t.Priced() {
		cost := FormatUSD(t[CostNano])
		f.CostUSD = &cost
	}
	if t[Requests] > 0 {
		f.LatencyP50, f.LatencyP90, f.LatencyP99 = millis(t.Latency(0.5)), millis(t.Latency(0.9)), millis(t.Latency(0.99))
	}
	if t.Streams() > 0 {
		f.FirstTokenP50, f.FirstTokenP90, f.FirstTokenP99 = millis(t.FirstTokenLatency(0.5)), millis(t.FirstTokenLatency(0.9)), millis(t.FirstTokenLatency(0.99))
	}
	return f
}

// Priced reports whether the cost says anything: that of attempts of which none has a price is
// unknown, which is not 0.
func (t *Totals) Priced() bool { return t[Unpriced] == 0 || t[Unpriced] < t[Attempts] }

// millis has microseconds behind the point.
func millis(d time.Duration) *float64 {
	ms := float64(d.Microseconds()) / 1000
	return &ms
}
