package telemetry

import (
	"cmp"
	"strconv"

	"github.com/aistrale/aistrale/storage"
)

// Names of OpenTelemetry's general conventions, which are stable.
const (
	attrMethod     = "http.request.method"
	attrRoute      = "http.route"
	attrStatus     = "http.response.status_code"
	attrResend     = "http.request.resend_count"
	attrErrorType  = "error.type"
	attrServer     = "server.address"
	attrServerPort = "server.port"
)

// Names of the conventions for generative AI, none of which is stable yet. Source:
// https://github.com/open-telemetry/semantic-conventions-genai/blob/2e994c6d59a93bb4fc1752c5378eedb9b8e14d6b/docs/gen-ai/gen-ai-spans.md
const (
	attrOperation     = "gen_ai.operation.name"
	attrGenAIProvider = "gen_ai.provider.name"
	attrRequestModel  = "gen_ai.request.model"
	attrRequestStream = "gen_ai.request.stream"
	attrResponseModel = "gen_ai.response.model"
	attrFinish        = "gen_ai.response.finish_reasons"
	attrFirstChunk    = "gen_ai.response.time_to_first_chunk"
	attrInput         = "gen_ai.usage.input_tokens"
	attrOutput        = "gen_ai.usage.output_tokens"
	attrCacheRead     = "gen_ai.usage.cache_read.input_tokens"
	attrCacheWrite    = "gen_ai.usage.cache_creation.input_tokens"
	attrReasoning     = "gen_ai.usage.reasoning.output_tokens"
	attrConversation  = "gen_ai.conversation.id"
	attrInstructions  = "gen_ai.system_instructions"
	attrInputSaid     = "gen_ai.input.messages"
	attrOutputSaid    = "gen_ai.output.messages"
)

// Names of our own.
const (
	attrRequestID  = "aistrale.request_id"
	attrClientID   = "aistrale.client_request_id"
	attrKeyID      = "aistrale.key.id"
	attrKeyName    = "aistrale.key.name"
	attrWorkspace  = "aistrale.workspace"
	attrProject    = "aistrale.project"
	attrUser       = "aistrale.user"
	attrTags       = "aistrale.tags"
	attrPrompt     = "aistrale.prompt"
	attrAsked      = "aistrale.model.asked"
	attrProvider   = "aistrale.provider"
	attrModel      = "aistrale.model"
	attrCredential = "aistrale.credential"
	attrExact      = "aistrale.exact"
	attrOutcome    = "aistrale.outcome"
	attrFault      = "aistrale.fault"
	attrFate       = "aistrale.fate"
	attrWaited     = "aistrale.limits.waited"
	attrAttempts   = "aistrale.attempts"
	attrAttempt    = "aistrale.attempt"
	attrCost       = "aistrale.cost_usd"
	attrOverhead   = "aistrale.overhead"
	attrTokensIn   = "aistrale.tokens.input"
	attrTokensOut  = "aistrale.tokens.output"
	attrEstimated  = "aistrale.tokens.estimated"
	attrUpstreamID = "aistrale.upstream_request_id"
	attrReused     = "aistrale.connection.reused"
	attrContentCut = "aistrale.content.truncated"
	attrContentNot = "aistrale.content.omitted"
)

// Names of events.
const (
	eventPassedOver = "aistrale.passed_over"
	eventWaited     = "aistrale.limits.waited"
	eventRetry      = "aistrale.retry"
	eventFallback   = "aistrale.fallback"
	eventHedge      = "aistrale.hedge"
	eventCached     = "aistrale.cache.hit"
	eventHead       = "aistrale.response.head"
	eventFirstToken = "aistrale.first_token"
)

// http is what the client asked, and what it was told.
func (a *attributes) http(r *storage.Record) {
	a.text(attrMethod, r.Method)
	a.text(attrRoute, r.Route)
	a.count(attrStatus, int64(r.Status))
	if failed(r) {
		a.text(attrErrorType, cmp.Or(r.Fault, string(r.Outcome)))
	}
}

// caller is who asked.
func (a *attributes) caller(r *storage.Record) {
	a.text(attrRequestID, r.ID)
	a.text(attrClientID, r.ClientRequestID)
	a.text(attrConversation, r.Session)
	a.text(attrKeyID, r.KeyID)
	a.text(attrKeyName, r.KeyName)
	a.text(attrUser, r.User)
	a.text(attrProject, r.Project)
	a.text(attrWorkspace, r.Workspace)
	a.list(attrTags, r.Tags...)
}

// outcome is how the request ended, and what it took.
func (a *attributes) outcome(r *storage.Record) {
	a.text(attrOperation, r.Op.String())
	a.truth(attrRequestStream, r.Stream)
	a.text(attrAsked, r.Asked)
	a.text(attrProvider, r.Provider)
	a.text(attrModel, r.Model)
	a.text(attrPrompt, r.Prompt)
	a.text(attrOutcome, string(r.Outcome))
	a.text(attrFault, r.Fault)
	a.integer(attrAttempts, int64(len(r.Attempts)))
	if len(r.Attempts) > 0 {
		a.truth(attrExact, r.Exact)
		a.double(attrOverhead, r.Overhead.Seconds())
	}
	if r.CostNano != nil {
		a.double(attrCost, float64(*r.CostNano)/1e9)
	}
	if len(r.Usage.Lines) > 0 {
		total := r.Usage.Total()
		a.integer(attrTokensIn, total.Input())
		a.integer(attrTokensOut, total.Output)
		a.truth(attrEstimated, r.Usage.Estimated)
	}
}

// upstream is whom an attempt asked, and how it ended.
func (a *attributes) upstream(r *storage.Record, t *storage.Attempt, outcome storage.Outcome) {
	a.text(attrOperation, r.Op.String())
	a.text(attrGenAIProvider, genAIProvider(cmp.Or(t.Kind, t.Provider)))
	a.text(attrRequestModel, t.Model)
	a.truth(attrRequestStream, r.Stream)
	if host, port := server(t.BaseURL); host != "" {
		a.text(attrServer, host)
		a.integer(attrServerPort, port)
	}
	a.count(attrStatus, int64(t.Status))
	a.text(attrProvider, t.Provider)
	a.text(attrCredential, t.Credential)
	a.text(attrUpstreamID, t.UpstreamID)
	a.truth(attrReused, t.Reused)
	a.text(attrOutcome, string(outcome))
	switch {
	case t.Status >= 400:
		var text [3]byte
		a.text(attrErrorType, string(strconv.AppendInt(text[:0], int64(t.Status), 10)))
	case outcome != storage.OutcomeOK:
		a.text(attrErrorType, string(outcome))
	}
}

// answer is what the attempt that served the request brought.
func (a *attributes) answer(r *storage.Record, t *storage.Attempt) {
	a.text(attrResponseModel, r.Served)
	if r.Finish != "" {
		a.list(attrFinish, r.Finish)
	}
	if r.Stream && r.FirstByte > 0 {
		a.double(attrFirstChunk, (r.FirstByte - t.Began.Sub(r.Time)).Seconds())
	}
	if len(r.Usage.Lines) == 0 {
		return
	}
	total := r.Usage.Total()
	a.integer(attrInput, total.Input())
	a.integer(attrOutput, total.Output)
	a.count(attrCacheRead, total.CacheRead)
	a.count(attrCacheWrite, total.CacheWrite5m+total.CacheWrite1h)
	a.count(attrReasoning, total.Reasoning)
}

// genAIProvider is a provider as the conventions call it.
func genAIProvider(kind string) string {
	switch kind {
	case "gemini":
		return "gcp.gemini"
	case "vertex":
		return "gcp.vertex_ai"
	case "bedrock":
		return "aws.bedrock"
	case "azure":
		return "azure.ai.openai"
	case "mistral":
		return "mistral_ai"
	case "xai":
		return "x_ai"
	}
	return kind
}
