package policy

// EstimateOutput guesses the tokens of so many bytes of text: four bytes each, and a tenth more.
func EstimateOutput(contentBytes int64) int64 {
	if contentBytes <= 0 {
		return 0
	}
	const most = 1 << 50 // beyond any reply
	return (min(contentBytes, most)*11 + 39) / 40
}

// EstimateInput guesses the tokens of a request's body.
func EstimateInput(body []byte) int64 { return EstimateOutput(int64(len(body))) }
