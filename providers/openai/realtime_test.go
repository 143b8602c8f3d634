package openai

import (
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

func TestObserveSession(t *testing.T) {
	f := func(event string, want providers.SessionSeen, usage providers.Normal) {
		t.Helper()
		got := observeSession([]byte(event))
		if got.HasUsage != (usage != providers.Normal{}) || got.HasUsage && got.Usage.Total() != usage {
			t.Errorf("%s: usage %+v, want %+v", event, got.Usage, usage)
		}
		got.Usage, got.HasUsage = providers.Usage{}, false
		if got.Begun != want.Begun || got.Done != want.Done || got.Content != want.Content || got.Reply != want.Reply || got.Aside != want.Aside ||
			got.Finish != want.Finish || got.Refused != want.Refused || got.About != want.About {
			t.Errorf("%s:\ngot  %+v\nwant %+v", event, got, want)
		}
	}
	none := providers.Normal{}
	f(`{"type":"session.created","session":{}}`, providers.SessionSeen{}, none)
	f(`{"type":"response.created","response":{"id":"r1","usage":null}}`, providers.SessionSeen{Begun: "r1"}, none)
	f(`{"type":"response.output_text.delta","response_id":"r1","delta":"héllo"}`, providers.SessionSeen{Reply: "r1", Content: 6}, none)
	f(`{"type":"response.output_audio.delta","response_id":"r1","delta":"AAAA"}`, providers.SessionSeen{Reply: "r1", Content: 1}, none)
	f(`{"type":"error","error":{"message":"no","event_id":"e1"}}`, providers.SessionSeen{Refused: true, About: "e1"}, none)
	f(`{"type":"error","error":{"message":"no","event_id":null}}`, providers.SessionSeen{Refused: true}, none)
	f(`{"type":"response.done","response":{"id":"r1","status":"cancelled","usage":null}}`, providers.SessionSeen{Done: "r1", Finish: "cancelled"}, none)
	// 119 of text and 3 of sound are new; 64 of sound and 64 of text were cached.
	f(`{"type":"response.done","response":{"id":"r1","status":"completed","usage":{"total_tokens":290,"input_tokens":250,"output_tokens":40,
		"input_token_details":{"text_tokens":183,"audio_tokens":67,"image_tokens":0,"cached_tokens":128,"cached_tokens_details":{"text_tokens":64,"audio_tokens":64}},
		"output_token_details":{"text_tokens":10,"audio_tokens":30}}}}`, providers.SessionSeen{Done: "r1", Finish: "completed"},
		providers.Normal{InputUncached: 122, CacheRead: 128, Output: 40, AudioIn: 3, AudioOut: 30})
	f(`{"type":"conversation.item.input_audio_transcription.completed","transcript":"hi","usage":{"type":"tokens","input_tokens":7,"output_tokens":2,"input_token_details":{"audio_tokens":7}}}`,
		providers.SessionSeen{Aside: true}, providers.Normal{InputUncached: 7, Output: 2, AudioIn: 7})
	f(`{"type":"conversation.item.input_audio_transcription.completed","transcript":"hi","usage":{"type":"duration","seconds":3}}`, providers.SessionSeen{Aside: true}, none)
}

func TestReadSessionEvent(t *testing.T) {
	f := func(event string, want providers.SessionAsk, wrong string) {
		t.Helper()
		var doc providers.Document
		if err := doc.Scan([]byte(event), nil); err != nil {
			t.Fatal(err)
		}
		got, err := readSessionEvent(&doc)
		if got != want || (err == nil) != (wrong == "") || err != nil && !strings.Contains(err.Error(), wrong) {
			t.Errorf("%s: %+v, %v", event, got, err)
		}
	}
	f(`{"type":"response.create"}`, providers.SessionAsk{Reply: true}, "")
	f(`{"type":"response.create","event_id":"e","response":{"max_output_tokens":7}}`, providers.SessionAsk{ID: "e", Reply: true, MaxOutput: 7}, "")
	f(`{"type":"session.update","session":{"max_output_tokens":"inf"}}`, providers.SessionAsk{Settings: true}, "")
	f(`{"type":"session.update","session":{"max_response_output_tokens":9}}`, providers.SessionAsk{Settings: true, MaxOutput: 9}, "")
	f(`{"type":"input_audio_buffer.append","audio":"AAAA"}`, providers.SessionAsk{}, "")
	f(`{"event_id":"e"}`, providers.SessionAsk{ID: "e"}, "no 'type'")
	f(`{"type":7}`, providers.SessionAsk{}, "type")
}

func TestRefuseInSession(t *testing.T) {
	out := gjson.ParseBytes(refuseInSession(&providers.Fault{Kind: providers.FaultQuota, Message: "spent", RetryAfter: time.Second}, `e"1`))
	if out.Get("type").Str != "error" || out.Get("error.code").Str != "insufficient_quota" || out.Get("error.message").Str != "spent" || out.Get("error.event_id").Str != `e"1` {
		t.Errorf("%s", out.Raw)
	}
	if out := gjson.ParseBytes(refuseInSession(providers.Invalid("type", "no"), "")); out.Get("error.event_id").Type != gjson.Null || out.Get("error.param").Str != "type" {
		t.Errorf("%s", out.Raw)
	}
}
