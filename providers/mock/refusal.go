package mock

import (
	"fmt"
	"time"
)

// A refusal is an error answer, in no provider's words. The zero fields are left to the
// dialect, which has a text for each status.
type refusal struct {
	status  int
	message string
	param   string // OpenAI: the field
	code    string // OpenAI's code, Anthropic's error type, Gemini's reason
	wait    time.Duration
	quota   bool
}

func (r *refusal) Error() string { return fmt.Sprintf("%d %s", r.status, r.message) }

func invalid(param, message string) *refusal {
	return &refusal{status: 400, param: param, message: message}
}

func invalidf(format string, args ...any) *refusal {
	return invalid("", fmt.Sprintf(format, args...))
}

// withCode gives an OpenAI error its code.
func (r *refusal) withCode(code string) *refusal {
	r.code = code
	return r
}
