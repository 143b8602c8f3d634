package openai

import (
	"net/http"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// Realtime is the path of OpenAI's realtime sessions over a WebSocket. Those over WebRTC and SIP
// go from the client to the provider past every gateway, by a key that this one would have to hand
// out.
//
// Source: https://platform.openai.com/docs/api-reference/realtime-client-events and
// -server-events.
func realtime() []providers.Endpoint {
	const closed = "Realtime sessions by WebRTC, SIP or an ephemeral key go past the gateway, so that nobody could count them. Connect to /v1/realtime by WebSocket."
	list := []providers.Endpoint{{Method: http.MethodGet, Path: "/v1/realtime", Op: providers.OpRealtime, Session: &providers.Session{
		Watch: providers.NewWatch(RealtimeGoverned()), Read: readSessionEvent, Observe: observeSession, Refuse: refuseInSession,
		Cancel: cancelReply, KeyProtocol: "openai-insecure-api-key.",
	}}}
	for _, path := range []string{"client_secrets", "sessions", "transcription_sessions", "calls"} {
		list = append(list, providers.Endpoint{Path: "/v1/realtime/" + path, Op: providers.OpRealtime, Closed: closed})
	}
	return list
}

// RealtimeGoverned lists the fields of a session's events that name another model, reach a
// network or name a stored object.
func RealtimeGoverned() []providers.Governed {
	var list []providers.Governed
	for _, in := range []string{"session", "response"} {
		list = append(list,
			providers.Governed{Path: in + ".model", Effect: providers.NamesModel},
			providers.Governed{Path: in + ".tools.#.type", Effect: providers.ReachesNetwork, Except: []string{"function"}},
			providers.Governed{Path: in + ".tools.#.server_url", Effect: providers.ReachesNetwork},
			providers.Governed{Path: in + ".tools.#.connector_id", Effect: providers.ReachesNetwork},
			providers.Governed{Path: in + ".prompt.id", Effect: providers.NamesObject},
			providers.Governed{Path: in + ".voice.id", Effect: providers.NamesObject},
			providers.Governed{Path: in + ".audio.output.voice.id", Effect: providers.NamesObject},
		)
	}
	return append(list,
		providers.Governed{Path: "session.input_audio_transcription.model", Effect: providers.NamesModel},
		providers.Governed{Path: "session.audio.input.transcription.model", Effect: providers.NamesModel},
		providers.Governed{Path: "item.content.#.file_id", Effect: providers.NamesObject},
		providers.Governed{Path: "response.input.#.content.#.file_id", Effect: providers.NamesObject},
	)
}

func readSessionEvent(event *providers.Document) (a providers.SessionAsk, err error) {
	kind, ok, err := event.String("type")
	if err != nil {
		return a, err
	}
	if a.ID, _, err = event.String("event_id"); err != nil {
		return a, err
	}
	if !ok {
		return a, providers.Invalid("type", "The event has no 'type'.")
	}
	switch kind {
	case "response.create":
		a.Reply = true
		a.MaxOutput = sessionBound(event.Value("response"))
	case "session.update":
		a.Settings = true
		a.MaxOutput = sessionBound(event.Value("session"))
	}
	return a, nil
}

// sessionBound is the most tokens that a reply may make, 0 where that is not said or "inf".
func sessionBound(settings []byte) int64 {
	for _, name := range [...]string{"max_output_tokens", "max_response_output_tokens"} {
		if n := gjson.GetBytes(settings, name); n.Type == gjson.Number && n.Int() > 0 {
			return n.Int()
		}
	}
	return 0
}

func observeSession(event []byte) (s providers.SessionSeen) {
	kind := gjson.GetBytes(event, "type").Str
	switch kind {
	case "response.created":
		s.Begun = gjson.GetBytes(event, "response.id").Str
	case "response.done":
		response := gjson.GetBytes(event, "response")
		s.Done, s.Finish = response.Get("id").Str, response.Get("status").Str
		s.Usage, s.HasUsage = sessionUsage(response.Get("usage"))
	case "conversation.item.input_audio_transcription.completed":
		s.Aside = true
		s.Usage, s.HasUsage = sessionUsage(gjson.GetBytes(event, "usage"))
	case "error":
		s.Refused, s.About = true, gjson.GetBytes(event, "error.event_id").Str
	case "response.output_text.delta", "response.text.delta", "response.output_audio_transcript.delta", "response.audio_transcript.delta",
		"response.function_call_arguments.delta":
		s.Reply, s.Content = gjson.GetBytes(event, "response_id").Str, len(gjson.GetBytes(event, "delta").Str)
	case "response.output_audio.delta", "response.audio.delta":
		s.Reply, s.Content = gjson.GetBytes(event, "response_id").Str, 1 // bytes of sound say nothing of tokens
	}
	return s
}

// sessionUsage reads a reply's usage, in which cached tokens are within the input's.
func sessionUsage(usage gjson.Result) (providers.Usage, bool) {
	if !usage.IsObject() {
		return providers.Usage{}, false
	}
	var line providers.UsageLine
	for _, m := range [...]struct {
		path  string
		meter providers.Meter
	}{
		{"input_tokens", providers.InputTotal}, {"output_tokens", providers.OutputTotal},
		{"input_token_details.cached_tokens", providers.CacheRead}, {"input_token_details.audio_tokens", providers.AudioIn},
		{"input_token_details.image_tokens", providers.ImagesIn}, {"output_token_details.audio_tokens", providers.AudioOut},
	} {
		if n := usage.Get(m.path); n.Type == gjson.Number {
			line.Set(m.meter, n.Int())
		}
	}
	// Sound that was cached is priced as what is cached.
	if cached := usage.Get("input_token_details.cached_tokens_details.audio_tokens"); cached.Type == gjson.Number {
		if sound, ok := line.Get(providers.AudioIn); ok {
			line.Set(providers.AudioIn, max(0, sound-cached.Int()))
		}
	}
	return providers.Usage{Lines: []providers.UsageLine{line}, Raw: []byte(usage.Raw)}, line.Has()
}

func refuseInSession(f *providers.Fault, about string) []byte {
	_, body := Face{}.Refuse(f)
	inner := gjson.GetBytes(body, "error").Raw
	b := append([]byte(`{"type":"error","event_id":"event_aistrale","error":`), inner[:len(inner)-1]...)
	b = append(b, `,"event_id":`...)
	if about == "" {
		b = append(b, "null"...)
	} else {
		b = providers.AppendString(b, about)
	}
	return append(b, "}}"...)
}

func cancelReply(reply string) []byte {
	b := providers.AppendString([]byte(`{"type":"response.cancel","response_id":`), reply)
	return append(b, '}')
}
