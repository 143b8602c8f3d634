package responses

import (
	"net/http"

	"github.com/aistrale/aistrale/providers"
)

// conversationEndpoints are those of conversations, whoever keeps them.
// Source: https://platform.openai.com/docs/api-reference/conversations
func conversationEndpoints() []providers.Endpoint {
	const one = "/{conversation}"
	at := func(method, tail string, s providers.Stored, act providers.TurnAct, answer func(*providers.TurnCall) (providers.TurnReply, error)) providers.Endpoint {
		s.Path, s.Held = tail, &providers.Held{Act: act, Kind: providers.ObjectConversation, Answer: answer}
		if tail != "" {
			s.Names = []string{"conversation"}
		}
		return providers.Endpoint{Method: method, Path: "/v1/conversations" + tail, Op: providers.OpConversations, Face: Face{}, Stored: &s}
	}
	made := []providers.Made{{ID: "id", Kind: providers.ObjectConversation, Bytes: "bytes", Expires: "expires_at"}}
	return []providers.Endpoint{
		at(http.MethodPost, "", providers.Stored{Makes: made}, providers.TurnMake, makeConversation),
		at(http.MethodGet, one, providers.Stored{}, providers.TurnShow, showConversation),
		at(http.MethodPost, one, providers.Stored{}, providers.TurnChange, changeConversation),
		at(http.MethodDelete, one, providers.Stored{Deletes: true}, providers.TurnRemove, removeConversation),
		at(http.MethodGet, one+"/items", providers.Stored{Paging: paging("before"), Makes: itemsOf(one[1:])}, providers.TurnList, listItems),
		at(http.MethodPost, one+"/items", providers.Stored{Makes: itemsOf(one[1:])}, providers.TurnAdd, addItems),
		at(http.MethodGet, one+"/items/{item}", providers.Stored{}, providers.TurnItemShow, showItem),
		at(http.MethodDelete, one+"/items/{item}", providers.Stored{}, providers.TurnItemRemove, showConversation),
	}
}
