package anthropic

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/aistrale/aistrale/providers"
)

// Surface is what clients of Anthropic's language see: its SDKs with /anthropic as base URL.
func Surface() providers.Surface {
	return providers.Surface{Prefix: prefix, Face: Face{}, Endpoints: append(storedEndpoints(), []providers.Endpoint{
		{Path: messages, Op: providers.OpChat, Ask: ask, Words: words(), Preface: preface, Stored: reached()},
		{Path: messages + "/count_tokens", Op: providers.OpCountTokens, Face: counting{}, Ask: ask, Words: countWords(), Preface: preface},
		{Method: http.MethodGet, Path: "/v1/models", Op: providers.OpModels, List: appendModels},
		{Method: http.MethodGet, Path: "/v1/models/{model}", Op: providers.OpModels, Show: appendModel},
	}...)}
}

// The sizes of a page of models.
// Source: https://docs.claude.com/en/api/models-list
const (
	usualPage = 20
	maxPage   = 1000
)

// appendModels is one page of the list: behind after_id, or the one before before_id.
func appendModels(b []byte, models []providers.ListedModel, query func(string) string) []byte {
	limit := usualPage
	if n, err := strconv.Atoi(query("limit")); err == nil {
		limit = min(max(n, 1), maxPage)
	}
	more := false
	at := func(id string) int {
		return slices.IndexFunc(models, func(m providers.ListedModel) bool { return m.ID == id })
	}
	if i := at(query("before_id")); i >= 0 {
		from := max(0, i-limit)
		models, more = models[from:i], from > 0
	} else {
		models = models[at(query("after_id"))+1:]
		if more = len(models) > limit; more {
			models = models[:limit]
		}
	}
	b = append(b, `{"data":[`...)
	for i := range models {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendModel(b, &models[i])
	}
	b = strconv.AppendBool(append(b, `],"has_more":`...), more)
	if len(models) == 0 {
		return append(b, `,"first_id":null,"last_id":null}`...)
	}
	b = providers.AppendString(append(b, `,"first_id":`...), models[0].ID)
	b = providers.AppendString(append(b, `,"last_id":`...), models[len(models)-1].ID)
	return append(b, '}')
}

func appendModel(b []byte, m *providers.ListedModel) []byte {
	b = providers.AppendString(append(b, `{"type":"model","id":`...), m.ID)
	b = providers.AppendString(append(b, `,"display_name":`...), m.ID)
	b = append(b, `,"created_at":"`...)
	b = time.Unix(m.Created, 0).UTC().AppendFormat(b, time.RFC3339) // the epoch where nobody says
	b = append(b, '"')
	if m.Can.Context > 0 {
		b = strconv.AppendInt(append(b, `,"max_input_tokens":`...), m.Can.Context, 10)
	}
	if m.Can.MaxOutput > 0 {
		b = strconv.AppendInt(append(b, `,"max_tokens":`...), m.Can.MaxOutput, 10)
	}
	if m.Can.Known {
		b = appendCapabilities(b, &m.Can)
	}
	return append(b, '}')
}

// appendCapabilities says what the catalogue knows, in the members that Anthropic's list has.
func appendCapabilities(b []byte, can *providers.Capabilities) []byte {
	b = appendSupport(append(b, `,"capabilities":{`...), "image_input", !can.NoImages)
	b = appendSupport(append(b, ','), "pdf_input", !can.NoPDF)
	b = appendSupport(append(b, ','), "structured_outputs", !can.NoStructuredOutput)
	b = strconv.AppendBool(append(b, `,"effort":{"supported":`...), len(can.Efforts) > 0)
	for _, effort := range [...]string{"low", "medium", "high", "xhigh", "max"} {
		b = appendSupport(append(b, ','), effort, slices.Contains(can.Efforts, effort))
	}
	thinks := !can.NoThinking && (can.AdaptiveThinking || can.BudgetMax > 0 || len(can.Efforts) > 0)
	b = strconv.AppendBool(append(b, `},"thinking":{"supported":`...), thinks)
	b = appendSupport(append(b, `,"types":{`...), "adaptive", thinks && (can.AdaptiveThinking || can.BudgetMax == 0))
	b = appendSupport(append(b, ','), "enabled", thinks && can.BudgetMax > 0)
	return append(b, "}}}"...)
}

func appendSupport(b []byte, name string, supported bool) []byte {
	b = append(append(append(b, '"'), name...), `":{"supported":`...)
	return append(strconv.AppendBool(b, supported), '}')
}
