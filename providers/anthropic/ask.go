package anthropic

import (
	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// ask reads what the road needs to know of a request, and refuses what two readers of it could
// take differently. Usage comes unasked here.
func ask(doc *providers.Document) (a providers.Asked, err error) {
	a.IncludeUsage = true
	if a.Model, _, err = doc.String("model"); err != nil {
		return a, err
	}
	if a.Stream, _, err = doc.Bool("stream"); err != nil {
		return a, err
	}
	if a.MaxOutput, _, err = doc.Int("max_tokens"); err != nil {
		return a, err
	}
	a.MaxOutput = max(0, a.MaxOutput)
	if tier, ok, err := doc.String("service_tier"); ok && err == nil {
		a.Tier = tier
		if tier == "standard_only" {
			a.Tier = "standard"
		}
	}
	a.Metadata = doc.Value("metadata")
	a.EndUser = gjson.GetBytes(a.Metadata, "user_id").Str
	return a, nil
}
