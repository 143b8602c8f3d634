package main_test

import (
	"encoding/json"

	"github.com/tidwall/gjson"
)

// A clientFace is how the clients of one language speak: a question in its words, and what its
// SDKs make of the answer. The matrix knows no language; a new one is an entry of clientFaces.
type clientFace struct {
	name     string // in the page
	language string // an upstream that speaks the same is answered exactly
	headers  map[string]string
	path     func(q *question) string
	ask      func(q *question) object
	read     func(whole gjson.Result) *reply
	stream   func() assembler
	// readFault gives nil where a body is no error of the language.
	readFault func(body gjson.Result) *toldFault
	words     finishes
	// countsThoughts says that its usage tells reasoning apart, noStops that it has no stop
	// sequences.
	countsThoughts, noStops bool
}

// clientFaces are the languages that the gateway speaks with clients.
var clientFaces = []*clientFace{chatFace, responsesFace, messagesFace, generateFace}

// finishes are a language's words.
type finishes struct{ stop, length, calls, refusal, limited string }

type object = map[string]any

// A question is what a client asks, in no language's words.
type question struct {
	model        string
	stream       bool
	system, user string
	past         []*reply // each made calls, which past answers
	image, tools bool
	schema       bool
	thinks       bool
	stop         string
	most         int // output tokens, 0 without bound
}

// then is the question of the next turn: the same, behind a reply and the results of its calls.
func (q *question) then(got *reply) *question {
	next := *q
	next.past = append(next.past, got)
	return &next
}

// A reply is what a client reads of an answer.
type reply struct {
	text, reasoning, refusal string
	calls                    []toolCall
	stop                     string // in the language's word
	input, output, thoughts  int64  // tokens
	turn                     json.RawMessage
	fault                    *toldFault // that a stream ended in, or that it was refused with
	ended                    bool       // by the language's own end
}

type toolCall struct{ id, name, args string }

// result is what the tools of these tests give.
func (t *toolCall) result() string { return t.name + ": 12" }

type toldFault struct {
	status        int
	kind, message string
}

// An assembler puts a stream together as an SDK does, and notes what breaks the grammar.
type assembler interface {
	event(raw, data string)
	// end gives the whole reply, the error that the stream ended in, if it did, and whether it
	// came to its proper end.
	end() (whole, fault gjson.Result, ended bool, wrong []string)
}

// wordsOf is where an upstream's language has what the matrix looks for in its requests: paths
// into the body.
type wordsOf struct {
	name, language string
	model, prefix  string
	schema, thinks string
	seal           string // of the second turn; "" where the language has none
	stops, most    string // stops is "" where the language has none
	refusal        string // what the emulator says when it refuses
}

var upstreams = []wordsOf{
	{ // its Chat Completions alone: most compatible servers have no more
		name: "OpenAI Chat", language: "openai", model: "chat/gpt", prefix: "/openai/v1/chat/completions",
		schema: "response_format.json_schema.schema", thinks: "reasoning_effort",
		stops: "stop|@flatten|0", most: "max_completion_tokens", refusal: "I'm sorry",
	},
	{ // a model that OpenAI serves in this language alone
		name: "OpenAI Responses", language: "responses", model: "openai/gpt-5-codex", prefix: "/openai/v1/responses",
		schema: "text.format.schema", thinks: "reasoning",
		seal: `input.#(type=="reasoning").encrypted_content`,
		most: "max_output_tokens", refusal: "I'm sorry",
	},
	{
		name: "Anthropic", language: "anthropic", model: "mock/claude", prefix: "/anthropic/v1/messages",
		schema: "output_config.format.schema", thinks: "thinking.type",
		seal:  `messages.#(role=="assistant").content.#(type=="thinking").signature`,
		stops: "stop_sequences.0", most: "max_tokens", refusal: "refused due to policy",
	},
	{
		name: "Gemini", language: "gemini", model: "mock/gemini", prefix: "/gemini/v1beta/models/gemini:",
		schema: "generationConfig.responseJsonSchema", thinks: "generationConfig.thinkingConfig",
		seal:  `contents.#(role=="model").parts.#(functionCall).thoughtSignature`,
		stops: "generationConfig.stopSequences.0", most: "generationConfig.maxOutputTokens",
	},
}

// toolNames are the tools on offer.
var toolNames = []string{"get_weather", "get_time"}

// place is the schema of their parameters, person that of a structured answer.
func placeSchema() object {
	return object{"type": "object", "properties": object{"city": object{"type": "string"}}, "required": []string{"city"}}
}

func personSchema() object {
	return object{
		"type": "object", "additionalProperties": false, "required": []string{"name", "age"},
		"properties": object{"name": object{"type": "string"}, "age": object{"type": "integer"}},
	}
}

// jsonOf is for values that have a JSON form.
func jsonOf(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func parsed(data string) object {
	var o object
	if json.Unmarshal([]byte(data), &o) != nil {
		return nil
	}
	return o
}

func sub(o object, name string) object { m, _ := o[name].(object); return m }

// plus appends a piece to a text member.
func plus(o object, name string, piece any) {
	before, _ := o[name].(string)
	text, _ := piece.(string)
	o[name] = before + text
}
