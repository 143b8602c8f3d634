package telemetry

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/aistrale/aistrale/storage"
)

type tenantKey struct{ workspace, project string }

// tenant are the children for a project.
type tenant struct{ requests, tokens, cost prometheus.Counter }

// tenantOf finds the children for the project of a record's key.
func (m *metrics) tenantOf(r *storage.Record) *tenant {
	key := tenantKey{r.Workspace, r.Project}
	if t, ok := m.tenants.get(key); ok {
		return t
	}
	if r.KeyID == "" {
		key = tenantKey{none, none}
	}
	if t, ok := m.tenants.get(key); ok {
		return t
	}
	key.workspace, key.project = strings.Clone(key.workspace), strings.Clone(key.project)
	if t, ok := m.tenants.put(key, func() *tenant { return m.newTenant(key) }); ok {
		return t
	}
	return m.restTenant()
}

func (m *metrics) newTenant(key tenantKey) *tenant {
	return &tenant{
		requests: m.tenantRequests.WithLabelValues(key.workspace, key.project),
		tokens:   m.tenantTokens.WithLabelValues(key.workspace, key.project),
		cost:     m.tenantCost.WithLabelValues(key.workspace, key.project),
	}
}
