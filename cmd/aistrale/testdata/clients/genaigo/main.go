// Drives a gateway with Google's own client for Go. Prints one JSON line per case: {"name", "error"?}.
// AISTRALE_URL and the keys come in by environment. A module of its own, as the client brings gRPC.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"

	"google.golang.org/genai"
)

var (
	background = context.Background()
	client     = connect(os.Getenv("AISTRALE_KEY"))
)

func main() {
	for _, model := range []string{"mock/gpt", "mock/claude", "mock/gemini"} {
		short := strings.TrimPrefix(model, "mock/")
		run(short+"/generate", func() error { return generate(model) })
		run(short+"/stream", func() error { return stream(model) })
		run(short+"/cached", func() error { return cached(model) })
		run(short+"/tools, whole", func() error { return tools(model, false) })
		run(short+"/tools, streamed", func() error { return tools(model, true) })
		run(short+"/thinking, whole", func() error { return thinking(model, false) })
		run(short+"/thinking, streamed", func() error { return thinking(model, true) })
		run(short+"/chat", func() error { return chat(model) })
		run(short+"/structured", func() error { return structured(model) })
		run(short+"/refused", func() error { return refused(model, "status=400", 400, "INVALID_ARGUMENT") })
		run(short+"/broken", func() error { return broken(model) })
	}
	run("count", count)
	run("embed", embed)
	run("models", models)
	run("quota", func() error { return refused("mock/gemini", "status=429; quota", 429, "RESOURCE_EXHAUSTED") })
	run("keys", keys)
	run("cached content", cachedContent)
}

func connect(key string) *genai.Client {
	c, err := genai.NewClient(background, &genai.ClientConfig{
		APIKey: key, Backend: genai.BackendGeminiAPI,
		HTTPOptions: genai.HTTPOptions{BaseURL: os.Getenv("AISTRALE_URL") + "/gemini"},
	})
	if err != nil {
		panic(err)
	}
	return c
}

func run(name string, work func() error) {
	said := map[string]string{"name": name}
	if err := work(); err != nil {
		said["error"] = err.Error()
	}
	line, err := json.Marshal(said)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(line))
}

func want(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, args...)
}

func told(settings string) *genai.HTTPOptions {
	return &genai.HTTPOptions{Headers: http.Header{"X-Mock": {settings}}}
}

func generate(model string) error {
	got, err := client.Models.GenerateContent(background, model, genai.Text("Say hello."), &genai.GenerateContentConfig{HTTPOptions: told("input=19; output=42")})
	if err != nil {
		return err
	}
	u := got.UsageMetadata
	ok := got.Text() != "" && got.Candidates[0].FinishReason == genai.FinishReasonStop && got.ResponseID != "" && got.ModelVersion != "" &&
		u.PromptTokenCount == 19 && u.CandidatesTokenCount == 42 && u.TotalTokenCount == 61
	return want(ok, "%+v, %+v", got, u)
}

func stream(model string) error {
	texts, last := 0, (*genai.GenerateContentResponse)(nil)
	config := &genai.GenerateContentConfig{HTTPOptions: told("events=20; input=19; output=42; chunk=2ms")}
	for chunk, err := range client.Models.GenerateContentStream(background, model, genai.Text("Say hello."), config) {
		if err != nil {
			return err
		}
		if last = chunk; chunk.Text() != "" {
			texts++
		}
	}
	return want(texts == 20 && last.Candidates[0].FinishReason == genai.FinishReasonStop && last.UsageMetadata.TotalTokenCount == 61, "%d texts, last %+v", texts, last)
}

func cached(model string) error {
	got, err := client.Models.GenerateContent(background, model, genai.Text("Say hello."), &genai.GenerateContentConfig{HTTPOptions: told("input=19; cached=7")})
	if err != nil {
		return err
	}
	u := got.UsageMetadata
	return want(u.PromptTokenCount == 19 && u.CachedContentTokenCount == 7, "%+v", u)
}

var weather = []*genai.Tool{{FunctionDeclarations: []*genai.FunctionDeclaration{declaration("get_weather"), declaration("get_time")}}}

func declaration(name string) *genai.FunctionDeclaration {
	return &genai.FunctionDeclaration{Name: name, Parameters: &genai.Schema{
		Type: genai.TypeObject, Properties: map[string]*genai.Schema{"city": {Type: genai.TypeString}}, Required: []string{"city"},
	}}
}

// turn answers a conversation: whole, or put together from a stream's parts.
func turn(model string, contents []*genai.Content, config *genai.GenerateContentConfig, streamed bool) (*genai.Content, error) {
	if !streamed {
		got, err := client.Models.GenerateContent(background, model, contents, config)
		if err != nil {
			return nil, err
		}
		return got.Candidates[0].Content, nil
	}
	whole := &genai.Content{Role: genai.RoleModel}
	for chunk, err := range client.Models.GenerateContentStream(background, model, contents, config) {
		if err != nil {
			return nil, err
		}
		if len(chunk.Candidates) > 0 && chunk.Candidates[0].Content != nil {
			for _, p := range chunk.Candidates[0].Content.Parts {
				// Gemini ends streams with an empty text, which this client would send as a part of nothing.
				if !reflect.ValueOf(*p).IsZero() {
					whole.Parts = append(whole.Parts, p)
				}
			}
		}
	}
	return whole, nil
}

// loop plays a conversation to its end, handing each answer back as the client gave it.
func loop(model string, config *genai.GenerateContentConfig, streamed bool) (calls []int, parts []*genai.Part, err error) {
	contents := genai.Text("How is the weather in Oslo?")
	for len(calls) < 9 {
		said, err := turn(model, contents, config, streamed)
		if err != nil {
			return calls, parts, err
		}
		contents, parts = append(contents, said), append(parts, said.Parts...)
		answers := &genai.Content{Role: genai.RoleUser}
		for _, p := range said.Parts {
			call := p.FunctionCall
			if call == nil {
				continue
			}
			if _, ok := call.Args["city"].(string); !ok {
				return calls, parts, fmt.Errorf("arguments %v", call.Args)
			}
			answers.Parts = append(answers.Parts, &genai.Part{FunctionResponse: &genai.FunctionResponse{
				ID: call.ID, Name: call.Name, Response: map[string]any{"output": call.Name + ": 12"},
			}})
		}
		calls = append(calls, len(answers.Parts))
		if len(answers.Parts) == 0 {
			return calls, parts, nil
		}
		contents = append(contents, answers)
	}
	return calls, parts, errors.New("a loop without end")
}

func tools(model string, streamed bool) error {
	config := &genai.GenerateContentConfig{Tools: weather, HTTPOptions: told("tool=get_weather,get_time; steps=2")}
	calls, parts, err := loop(model, config, streamed)
	if err != nil {
		return err
	}
	return want(slices.Equal(calls, []int{2, 2, 0}) && strings.Contains(parts[len(parts)-1].Text+parts[len(parts)-2].Text, "12"), "%v, %+v", calls, parts)
}

// thinking needs the signatures of the first turn in the second: the emulator checks them.
func thinking(model string, streamed bool) error {
	config := &genai.GenerateContentConfig{
		Tools: weather, MaxOutputTokens: 4096, ThinkingConfig: &genai.ThinkingConfig{IncludeThoughts: true},
		HTTPOptions: told("thinking=1; tool=get_weather; steps=2"),
	}
	calls, parts, err := loop(model, config, streamed)
	if err != nil {
		return err
	}
	signed := slices.ContainsFunc(parts, func(p *genai.Part) bool { return len(p.ThoughtSignature) > 0 })
	shown := model == "mock/gpt" || slices.ContainsFunc(parts, func(p *genai.Part) bool { return p.Thought && p.Text != "" })
	return want(slices.Equal(calls, []int{1, 1, 0}) && signed && shown, "%v, signed %v, shown %v", calls, signed, shown)
}

// chat keeps a stream's chunks as contents of their own.
func chat(model string) error {
	talk, err := client.Chats.Create(background, model, &genai.GenerateContentConfig{HTTPOptions: told("thinking=1")}, nil)
	if err != nil {
		return err
	}
	for i := range 2 {
		text := ""
		for chunk, err := range talk.SendMessageStream(background, genai.Part{Text: fmt.Sprintf("Say %d.", i)}) {
			if err != nil {
				return err
			}
			text += chunk.Text()
		}
		if !strings.Contains(text, fmt.Sprint(i)) {
			return fmt.Errorf("turn %d: %q", i, text)
		}
	}
	return want(len(talk.History(true)) >= 4, "the client takes an answer for invalid")
}

func structured(model string) error {
	config := &genai.GenerateContentConfig{ResponseMIMEType: "application/json", ResponseSchema: &genai.Schema{
		Type: genai.TypeObject, Properties: map[string]*genai.Schema{"n": {Type: genai.TypeInteger}}, Required: []string{"n"},
	}}
	got, err := client.Models.GenerateContent(background, model, genai.Text("A number."), config)
	if err != nil {
		return err
	}
	var said struct{ N *float64 }
	err = json.Unmarshal([]byte(got.Text()), &said)
	return want(err == nil && said.N != nil, "%q: %v", got.Text(), err)
}

// fails wants an error of the API's.
func fails(err error, status int, word string) error {
	var said genai.APIError
	return want(errors.As(err, &said) && said.Code == status && said.Status == word, "%T %v", err, err)
}

func refused(model, settings string, status int, word string) error {
	config := &genai.GenerateContentConfig{HTTPOptions: told(settings)}
	_, err := client.Models.GenerateContent(background, model, genai.Text("Hello."), config)
	return errors.Join(fails(err, status, word), fails(first(client.Models.GenerateContentStream(background, model, genai.Text("Hello."), config)), status, word))
}

// first gives the first error of a stream.
func first(chunks iter.Seq2[*genai.GenerateContentResponse, error]) error {
	for _, err := range chunks {
		if err != nil {
			return err
		}
	}
	return nil
}

func broken(model string) error {
	config := &genai.GenerateContentConfig{HTTPOptions: told("events=9; error=3")}
	err := first(client.Models.GenerateContentStream(background, model, genai.Text("Hello."), config))
	return want(err != nil, "the stream ends as if it were whole")
}

func count() error {
	got, err := client.Models.CountTokens(background, "mock/gemini", genai.Text("Hello."), &genai.CountTokensConfig{HTTPOptions: told("input=19")})
	if err != nil {
		return err
	}
	other, err := client.Models.CountTokens(background, "mock/gpt", genai.Text("Hello."), &genai.CountTokensConfig{HTTPOptions: told("input=19")})
	if err != nil {
		return err
	}
	_, err = client.Models.CountTokens(background, "chat/gpt", genai.Text("Hello."), nil) // whose provider counts nothing
	return errors.Join(want(got.TotalTokens == 19 && other.TotalTokens == 19, "%+v, %+v", got, other), fails(err, 404, "NOT_FOUND"))
}

func embed() error {
	for _, model := range []string{"mock/gemini", "mock/gpt"} {
		got, err := client.Models.EmbedContent(background, model, append(genai.Text("one"), genai.Text("two")...), &genai.EmbedContentConfig{OutputDimensionality: genai.Ptr[int32](8)})
		if err != nil {
			return fmt.Errorf("%s: %w", model, err)
		}
		if len(got.Embeddings) != 2 || len(got.Embeddings[0].Values) != 8 {
			return fmt.Errorf("%s: %+v", model, got)
		}
	}
	return nil
}

func models() error {
	var names []string
	for m, err := range client.Models.All(background) {
		if err != nil {
			return err
		}
		names = append(names, m.Name)
	}
	got, err := client.Models.Get(background, "mock/gemini", nil)
	if err != nil {
		return err
	}
	return want(slices.Contains(names, "models/mock/claude") && got.InputTokenLimit == 1_048_576, "%q, %+v", names, got)
}

func keys() error {
	_, wrong := connect("wrong").Models.GenerateContent(background, "mock/gemini", genai.Text("Hello."), nil)
	_, narrow := connect(os.Getenv("AISTRALE_NARROW_KEY")).Models.GenerateContent(background, "mock/gemini", genai.Text("Hello."), nil)
	return errors.Join(fails(wrong, 401, "UNAUTHENTICATED"), fails(narrow, 403, "PERMISSION_DENIED"))
}

// cachedContent is Gemini's own: it goes there as it stands, and others have none.
func cachedContent() error {
	config := &genai.GenerateContentConfig{CachedContent: "cachedContents/made-before"}
	got, err := client.Models.GenerateContent(background, "mock/gemini", genai.Text("Hello."), config)
	if err != nil {
		return err
	}
	_, err = client.Models.GenerateContent(background, "mock/claude", genai.Text("Hello."), config)
	return errors.Join(want(got.Text() != "", "%+v", got), fails(err, 400, "INVALID_ARGUMENT"))
}
