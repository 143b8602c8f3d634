package storage

import "time"

// LogRule says for a time what is logged: from which level on, or all that there is to say of one
// key's calls. It ends by itself.
type LogRule struct {
	Level string    // of all lines; "" where it is about a key
	Key   string    // the key's public id; "" where it is about all lines
	By    string    // who wanted it
	Until time.Time // not a moment longer
}

// LogRuleKind is that of log rules. Running gateways follow them.
func LogRuleKind() Kind { return Kind{Name: "log_rule", Served: true} }

// ID is the rule's: there is one for all lines, and one for each key.
func (r *LogRule) ID() string {
	if r.Key == "" {
		return "level"
	}
	return "key/" + r.Key
}
