package boards

// day is one in seconds.
const day = 24 * 60 * 60

func certificateAlerts() []Alert {
	remains := left(metric("aistrale_certificate_not_after_seconds"))
	const summary = "The certificate of {{ $labels.instance }}'s {{ $labels.listener }} expires in {{ $value | humanizeDuration }}"
	return []Alert{
		{
			Name: "AistraleCertificateExpires", Severity: warning,
			Query:       below(atLeast(remains, 2*day), 14*day),
			Summary:     summary,
			Description: "Or that of an authority in its chain. What renews it does not, or its files are not those that the gateway reads.",
		},
		{
			Name: "AistraleCertificateExpiresSoon", Severity: critical,
			Query:       below(remains, 2*day),
			Summary:     summary,
			Description: "Or that of an authority in its chain. From then on clients refuse to connect.",
		},
		{
			Name: "AistraleCertificateRefused", Severity: warning,
			Query:       grew(metric("aistrale_certificate_reloads_failed_total"), "1h"),
			Summary:     "{{ $labels.instance }} did not take the new certificate of its {{ $labels.listener }}",
			Description: "It cannot be read, does not fit its key, or is not good now. The one of before stays in force until it expires; the log says why.",
		},
	}
}
