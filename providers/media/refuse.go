package media

import (
	"errors"

	"github.com/aistrale/aistrale/providers"
)

// Blocked is a refusal for what the request asks for, or shows. reason is the provider's own word.
func Blocked(op providers.Op, reason string) *providers.Fault {
	f := &providers.Fault{
		Kind: providers.FaultUpstreamRejected, Status: 400, Type: "invalid_request_error", Code: "content_policy_violation",
		Message: "The provider refused the request for what it asks or shows (" + reason + ").", NoRetry: true,
	}
	if op == providers.OpImages || op == providers.OpImageEdits {
		f.Type, f.Code = "image_generation_user_error", "moderation_blocked"
	}
	return f
}

// Unreadable is a reply whose bytes are of a kind that cannot be handed on.
func Unreadable(kind string) *providers.Fault {
	return &providers.Fault{
		Kind: providers.FaultUpstream, Retryable: true, Message: "the upstream's reply cannot be read",
		Cause: errors.New("media: a sound or image of the type " + kind),
	}
}

// Timeless is a reply without the times that were asked for.
func Timeless() *providers.Fault {
	return &providers.Fault{
		Kind: providers.FaultUpstream, Message: "The model tells no times of what it heard: ask for 'json' or 'text'.",
	}
}

// silent is a reply without a sound.
func silent(reason string) *providers.Fault {
	return &providers.Fault{
		Kind: providers.FaultUpstream, Retryable: true, Message: "The model made no sound (" + reason + ")",
	}
}
