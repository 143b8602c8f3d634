package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// routing takes over what holds for all groups: retries, timeouts, fallbacks.
func (l *litellm) routing() {
	for _, section := range []string{"router_settings", "litellm_settings"} {
		s := l.look(l.root, section)
		for theirs, set := range map[string]func(plainScalar){
			"num_retries":     func(v plainScalar) { l.made.Retry["max"] = v },
			"timeout":         func(v plainScalar) { l.made.Timeouts["first_byte"] = plainScalar(seconds(string(v))) },
			"request_timeout": func(v plainScalar) { l.made.Timeouts["first_byte"] = plainScalar(seconds(string(v))) },
			"allowed_fails":   func(v plainScalar) { l.made.Breaker["failures"] = v },
			"cooldown_time":   func(v plainScalar) { l.made.Breaker["open_for"] = plainScalar(seconds(string(v))) },
		} {
			if v := l.take(s, theirs); v != "" {
				set(plainScalar(v))
			}
		}
		for _, list := range []string{"fallbacks", "context_window_fallbacks", "content_policy_fallbacks"} {
			l.fallbacks(l.look(s, list), section+"."+list)
		}
		if n := l.look(s, "default_fallbacks"); n != nil {
			l.used[n] = true
			for _, g := range l.groups {
				for _, to := range items(n) {
					g.fallsBackOn(to.Value)
				}
			}
		}
		l.groupAliases(l.look(s, "model_group_alias"), section+".model_group_alias")
	}
	for _, m := range []map[string]plainScalar{l.made.Timeouts, l.made.Retry, l.made.Breaker} {
		maps.DeleteFunc(m, func(_ string, v plainScalar) bool { return v == "" })
	}
}

// fallsBackOn adds a group to try next, once.
func (g *litellmGroup) fallsBackOn(name string) {
	if name != g.name && !slices.Contains(g.fallbacks, name) {
		g.fallbacks = append(g.fallbacks, name)
	}
}

func (l *litellm) groupNamed(name string) *litellmGroup {
	i := slices.IndexFunc(l.groups, func(g *litellmGroup) bool { return g.name == name })
	if i < 0 {
		return nil
	}
	return l.groups[i]
}

// fallbacks reads [{group: [group, …]}, …].
func (l *litellm) fallbacks(n *yaml.Node, path string) {
	if n == nil {
		return
	}
	l.used[n] = true
	for _, one := range items(n) {
		for i := 0; i+1 < len(one.Content); i += 2 {
			g := l.groupNamed(one.Content[i].Value)
			if g == nil {
				l.leave(one, path, fmt.Sprintf("no model_name is %q", one.Content[i].Value))
				continue
			}
			for _, to := range items(one.Content[i+1]) {
				if to.Kind != yaml.ScalarNode || l.groupNamed(to.Value) == nil {
					l.leave(to, path+": "+g.name, "it is no model_name")
					continue
				}
				g.fallsBackOn(to.Value)
			}
		}
	}
	if strings.Contains(path, "content_policy") && len(items(n)) > 0 {
		l.leave(n, path, "they stand among the other fallbacks; content_filter in fallback_on of an alias has answers that were filtered lead to them")
	}
}

// groupAliases reads {name: group}, or {name: {model: group}}.
func (l *litellm) groupAliases(n *yaml.Node, path string) {
	if n == nil || n.Kind != yaml.MappingNode {
		return
	}
	l.used[n] = true
	for i := 0; i+1 < len(n.Content); i += 2 {
		to := n.Content[i+1]
		if to.Kind == yaml.MappingNode {
			to = l.look(to, "model")
		}
		g := (*litellmGroup)(nil)
		if to != nil {
			g = l.groupNamed(to.Value)
		}
		if g == nil {
			l.leave(n.Content[i], path, "it names no model_name")
			continue
		}
		l.groups = append(l.groups, &litellmGroup{name: n.Content[i].Value, deployments: g.deployments, fallbacks: g.fallbacks, at: n.Content[i].Line})
	}
}

// aliases makes one of each group that is not simply a provider's model under its own name.
func (l *litellm) aliases() {
	for _, g := range l.groups {
		first, rest, slash := strings.Cut(g.name, "/")
		hides := slash && slices.ContainsFunc(l.made.Providers, func(p importedProvider) bool { return p.Name == first })
		switch {
		case len(g.deployments) == 1 && len(g.fallbacks) == 0 && g.deployments[0].target == g.name:
		case strings.Contains(g.name, "*"):
			if strings.HasSuffix(g.deployments[0].target, "*") {
				l.left = append(l.left, leftover{l.file, g.at, "model_list: " + g.name, "every model of " + strings.TrimSuffix(g.deployments[0].target, "*") + " is called by that name without more"})
				continue
			}
			l.left = append(l.left, leftover{l.file, g.at, "model_list: " + g.name, "an alias is one name"})
		case !isModel(g.name):
			l.left = append(l.left, leftover{l.file, g.at, "model_list: " + g.name, "no alias may have this name"})
		case hides:
			l.left = append(l.left, leftover{l.file, g.at, "model_list: " + g.name, fmt.Sprintf("an alias may not hide the names of provider %s; %q asks that provider itself", first, first+"/"+rest)})
		default:
			l.made.Aliases[g.name] = l.alias(g)
		}
	}
}

func (l *litellm) alias(g *litellmGroup) importedAlias {
	a := importedAlias{Timeouts: map[string]string{}}
	for _, d := range g.deployments {
		t := importedTarget{Target: d.target}
		if len(g.deployments) > 1 && len(g.fallbacks) == 0 {
			t.Weight = 1
			if w, err := strconv.Atoi(d.weight); err == nil && w > 0 {
				t.Weight = w
			}
		}
		if !slices.ContainsFunc(a.Targets, func(other importedTarget) bool { return other.Target == t.Target }) {
			a.Targets = append(a.Targets, t)
		}
		if d.total != "" {
			a.Timeouts["total"] = d.total
		}
	}
	if first := g.deployments[0].defaults; len(first) > 0 {
		a.Defaults = first
		if len(g.fallbacks) > 0 {
			l.left = append(l.left, leftover{l.file, g.at, "model_list: " + g.name, "its parameters are defaults of the alias, and hold for what it falls back on too"})
		}
	}
	if len(g.deployments) > 1 && len(g.fallbacks) > 0 {
		l.left = append(l.left, leftover{l.file, g.at, "model_list: " + g.name, "its deployments are tried in order and calls are not shared out over them, as it has fallbacks too: an alias is one or the other"})
	}
	for _, name := range g.fallbacks {
		for _, d := range l.groupNamed(name).deployments {
			if !slices.ContainsFunc(a.Targets, func(t importedTarget) bool { return t.Target == d.target }) {
				a.Targets = append(a.Targets, importedTarget{Target: d.target})
			}
		}
	}
	return a
}

// totals takes over what everybody together may do.
func (l *litellm) totals() {
	s := l.look(l.root, "litellm_settings")
	if usd := l.take(s, "max_budget"); usd != "" {
		l.made.Budgets = append(l.made.Budgets, map[string]any{"scope": "all", "usd": plainScalar(usd), "per": spanOf(l.take(s, "budget_duration"))})
	}
	if n := l.take(l.root, "general_settings", "global_max_parallel_requests"); n != "" {
		l.made.Limits = append(l.made.Limits, map[string]any{"scope": "all", "concurrent": plainScalar(n)})
	}
}

// spanOf reads LiteLLM's 30s, 12h, 7d and 1mo; "" is for ever.
func spanOf(text string) string {
	switch text {
	case "":
		return "total"
	case "1mo", "monthly":
		return "month"
	case "daily":
		return "day"
	case "weekly":
		return "week"
	}
	return text
}
