package openai

import "github.com/aistrale/aistrale/providers"

// ask reads what the road needs to know of a request, and refuses what two readers of it could
// take differently.
func ask(doc *providers.Document) (providers.Asked, error) {
	a, err := askWhole(doc)
	if err != nil {
		return a, err
	}
	if a.Stream, _, err = doc.Bool("stream"); err != nil {
		return a, err
	}
	a.IncludeUsage, err = includeUsage(doc, a.Stream)
	return a, err
}

// askWhole is ask for an operation that has no stream.
func askWhole(doc *providers.Document) (a providers.Asked, err error) {
	if a.Model, _, err = doc.String("model"); err != nil {
		return a, err
	}
	if _, _, err := doc.Bool("stream"); err != nil {
		return a, err
	}
	for _, name := range [...]string{"max_tokens", "max_completion_tokens", "n"} {
		n, _, err := doc.Int(name)
		if err != nil {
			return a, err
		}
		if name != "n" && n > 0 {
			a.MaxOutput = n // where both are said the newer counts
		}
	}
	if tier, ok, err := doc.String("service_tier"); ok && err == nil {
		a.Tier = tier
	}
	a.EndUser, a.Metadata = endUser(doc), doc.Value("metadata")
	return a, nil
}

// endUser is the client's word for the person behind the call. What is no string is the
// upstream's to refuse.
func endUser(doc *providers.Document) string {
	for _, name := range [...]string{"safety_identifier", "user"} {
		if said, ok, err := doc.String(name); ok && err == nil && said != "" {
			return said
		}
	}
	return ""
}

// includeUsage says whether the client itself asked for a usage event.
func includeUsage(doc *providers.Document, stream bool) (bool, error) {
	options := doc.Value("stream_options")
	if isNull(options) {
		return false, nil
	}
	if !stream {
		return false, providers.Invalid("stream_options", "The 'stream_options' parameter is only allowed when 'stream' is enabled.")
	}
	if options[0] != '{' {
		return false, providers.Invalid("stream_options", "Invalid type for 'stream_options': expected an object.")
	}
	var inner providers.Document
	if err := inner.Scan(options, nil); err != nil {
		return false, err
	}
	include, _, err := inner.Bool("include_usage")
	if err != nil {
		return false, providers.Invalid("stream_options.include_usage", "Invalid type for 'stream_options.include_usage': expected a boolean.")
	}
	return include, nil
}
