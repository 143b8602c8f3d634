package policy

// Kind is what the catalogue and the price lists know a configured provider as: capabilities and
// prices are looked up under its names, while limits, records and metrics keep the operator's.
type Kind struct {
	Name string // the catalogue's name of the provider; "" that of the configuration
	// Models are those that the operator has given names of his own (Azure's deployments), by
	// that name.
	Models map[string]string
}

// Of gives a target as the catalogue names it.
func (k Kind) Of(t Target) Target {
	if k.Name != "" {
		t.Provider = k.Name
	}
	if model, ok := k.Models[t.Model]; ok {
		t.Model = model
	}
	return t
}
