package responses

import "github.com/aistrale/aistrale/providers"

// ask reads what the road needs to know of a request.
func ask(doc *providers.Document) (a providers.Asked, err error) {
	if a.Model, _, err = doc.String("model"); err != nil {
		return a, err
	}
	if a.Stream, _, err = doc.Bool("stream"); err != nil {
		return a, err
	}
	if a.MaxOutput, _, err = doc.Int("max_output_tokens"); err != nil {
		return a, err
	}
	a.MaxOutput = max(0, a.MaxOutput)
	a.IncludeUsage = true // the last event always has it
	// What is no string is the upstream's to refuse.
	for _, name := range [...]string{"user", "safety_identifier"} {
		if said, ok, err := doc.String(name); ok && err == nil && said != "" {
			a.EndUser = said
		}
	}
	if tier, ok, err := doc.String("service_tier"); ok && err == nil {
		a.Tier = tier
	}
	a.Metadata = doc.Value("metadata")
	return a, nil
}
