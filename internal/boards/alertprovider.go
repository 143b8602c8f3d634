package boards

func providerAlerts() []Alert {
	attempts := metric("provider:aistrale_attempts:rate5m")
	return []Alert{
		{
			Name: "AistraleProviderFailing", Severity: warning, For: "5m",
			Query:       both(above(over(metric("provider:aistrale_attempt_failures:rate5m"), attempts), 0.2), above(attempts, 0.05)),
			Summary:     "{{ $value | humanizePercentage }} of attempts at {{ $labels.provider }} fail",
			Description: "The provider refuses, breaks off or does not answer. Clients see it where a model has no other target.",
		},
		{
			Name: "AistraleProviderSlow", Severity: warning, For: "15m",
			Query:       above(metric("provider:aistrale_first_token:p95_5m"), 15),
			Summary:     "{{ $labels.gen_ai_provider_name }} takes {{ $value | humanizeDuration }} to begin an answer",
			Description: "One stream in twenty waits longer than 15 s for its first bytes.",
		},
		{
			Name: "AistraleBreakerOpen", Severity: warning, For: "1m",
			Query:       equals(most(metric("aistrale_breaker_state"), "job", "provider"), 2),
			Summary:     "A circuit of {{ $labels.provider }} is open",
			Description: "A place (provider, credential, model) failed so often that it is left alone. Calls go to the next target, or get a 503.",
		},
		{
			Name: "AistraleCredentialFailing", Severity: critical, For: "5m",
			Query:       atLeast(most(metric("aistrale_credential_state"), "job", "provider", "credential"), 1),
			Summary:     "The credential {{ $labels.credential }} of {{ $labels.provider }} does not work",
			Description: "The provider refuses it (1), or it is missing or cannot be opened (2). It stands at {{ $value }}.",
		},
	}
}
