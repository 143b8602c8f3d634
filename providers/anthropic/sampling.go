package anthropic

import (
	"math"
	"slices"
	"strconv"

	"github.com/aistrale/aistrale/providers"
)

func (w *writer) writeSampling() error {
	s := &w.req.Sampling
	fixed := w.call.Can.NoSampling || w.thinking.on()
	if t := s.Temperature; t != nil {
		if *t > 1 || fixed && *t != 1 {
			w.drop("temperature") // above 1 it is served as 1
		}
		if !fixed {
			w.float("temperature", min(*t, 1))
		}
	}
	if p := s.TopP; p != nil {
		switch {
		// While the model thinks, top_p may be between 0.95 and 1; beside a temperature current
		// models refuse it.
		case w.call.Can.NoSampling, s.Temperature != nil, w.thinking.on() && *p < 0.95:
			if *p != 1 {
				w.drop("top_p")
			}
		default:
			w.float("top_p", *p)
		}
	}
	if k := s.TopK; k != nil {
		if fixed {
			w.drop("top_k")
		} else if w.field("top_k") {
			w.body = strconv.AppendInt(w.body, *k, 10)
		}
	}
	if s.Seed != nil {
		w.drop("seed")
	}
	if p := s.FrequencyPenalty; p != nil && *p != 0 {
		w.drop("frequency_penalty")
	}
	if p := s.PresencePenalty; p != nil && *p != 0 {
		w.drop("presence_penalty")
	}
	return nil
}

func (w *writer) float(name string, f float64) {
	if math.IsNaN(f) || math.IsInf(f, 0) || !w.field(name) {
		return
	}
	w.body = strconv.AppendFloat(w.body, f, 'g', -1, 64)
}

// writeRest writes what stands behind the prompt and its limits.
func (w *writer) writeRest() error {
	w.writeStop()
	if w.call.EndUser != "" && w.field("metadata") {
		w.body = providers.AppendString(append(w.body, `{"user_id":`...), w.call.EndUser)
		w.body = append(w.body, '}')
	}
	if len(w.req.Metadata) > 0 {
		w.drop("metadata")
	}
	w.writeTier()
	w.writeExtras()
	return nil
}

// writeStop leaves out sequences of white space, which the API refuses.
func (w *writer) writeStop() {
	stop := slices.Clone(w.req.Stop)
	stop = slices.DeleteFunc(stop, blank)
	if len(stop) < len(w.req.Stop) {
		w.drop("stop")
	}
	if len(stop) == 0 || !w.field("stop_sequences") {
		return
	}
	w.body = append(w.body, '[')
	for i, s := range stop {
		w.comma(i)
		w.body = providers.AppendString(w.body, s)
	}
	w.body = append(w.body, ']')
}

// writeTier says service_tier: Anthropic's auto uses priority capacity where it was bought.
// Source: https://docs.claude.com/en/api/service-tiers
func (w *writer) writeTier() {
	tier := ""
	switch w.req.ServiceTier {
	case "":
		return
	case "auto", "priority":
		tier = "auto"
	case "default", "standard", "standard_only":
		tier = "standard_only"
	default:
		w.drop("service_tier")
		return
	}
	if w.field("service_tier") {
		w.body = providers.AppendString(w.body, tier)
	}
}
