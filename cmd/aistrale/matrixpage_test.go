package main_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// holds is the verdict on a cell where all is as it should be.
const holds = "holds"

// An excuse says why cells of one scenario and upstream do not hold.
type excuse struct {
	scenario, upstream string
	faces              []*clientFace
	verdict, why       string
}

// excuses is every cell that does not hold: facts about languages, not work to be done.
var excuses = []excuse{
	{
		"reasoning, two turns", "OpenAI Chat", clientFaces, "absent: reasoning, signatures",
		"Chat Completions tells how many tokens the model reasoned, and neither shows nor signs its reasoning.",
	},
	{"refusal", "OpenAI Chat", []*clientFace{generateFace}, "absent: that it is a refusal", refusalIsText},
	{"refusal", "OpenAI Responses", []*clientFace{generateFace}, "absent: that it is a refusal", refusalIsText},
	{
		"reasoning, two turns", "OpenAI Responses", []*clientFace{chatFace}, "absent: reasoning",
		"OpenAI shows summaries of reasoning only, refuses to make them for accounts that it has not verified, and an effort alone does not ask for them. `include_reasoning` does.",
	},
	{"stop", "OpenAI Responses", []*clientFace{chatFace}, "dropped: stop", noStops},
	{"stop", "OpenAI Responses", []*clientFace{messagesFace}, "dropped: stop_sequences", noStops},
	{"stop", "OpenAI Responses", []*clientFace{generateFace}, "dropped: generationConfig.stopSequences", noStops},
}

const (
	refusalIsText = "The model's words are the text. Gemini's own models refuse in a text that ends in STOP; SAFETY would say that a filter held an answer back."
	noStops       = "The language has no stop sequences."
)

// wordless reports an excuse for what an upstream's language has no word for, whatever the scenario.
func (e *excuse) wordless() bool {
	return slices.ContainsFunc(upstreams, func(up wordsOf) bool { return up.name == e.upstream && up.stops == "" }) && e.scenario == "stop"
}

func excuseOf(at spot) (number int, e *excuse) {
	for i := range excuses {
		e := &excuses[i]
		if e.scenario == at.scenario && e.upstream == at.upstream &&
			slices.ContainsFunc(e.faces, func(f *clientFace) bool { return f.name == at.face }) {
			return i + 1, e
		}
	}
	return 0, nil
}

// excused holds every verdict against the list, and the list against the verdicts.
func (m *matrix) excused(t *testing.T) {
	t.Helper()
	every := map[string]bool{}
	for _, s := range scenarios {
		every[s.name] = s.every
	}
	for at, verdicts := range m.verdicts {
		want := holds
		if _, e := excuseOf(at); e != nil {
			want = e.verdict
		}
		for stream, got := range verdicts {
			if got != want {
				t.Errorf("%+v, streamed %t: %q, want %q", at, stream, got, want)
			}
		}
	}
	for _, e := range excuses {
		for _, face := range e.faces {
			at := spot{face.name, e.upstream, e.scenario}
			if every[e.scenario] && !e.wordless() || m.verdicts[at] == nil || e.why == "" || e.verdict == holds {
				t.Errorf("%+v cannot be excused", at)
			}
		}
	}
}

const pageHead = `# Compatibility

What clients of each language get of upstreams of each, generated. Every cell is played against the built program: a client of the language asks, whole and streamed, the emulator answers in the upstream's language, and the reply is read as the language's SDKs read it. Each stream is held against its language's grammar, and must say the same as the whole reply.

This page is written by ` + "`TestCompatibilityGolden`" + ` (` + "`make golden`" + `), which fails where it is not true.

| scenario | what holds |
|---|---|
| text | instructions and question arrive, the text is whole, it stopped by itself, usage is the upstream's |
| tools | a call with its arguments; its result on the second turn, and the answer to it |
| parallel tools | the same with two calls at once |
| image | an inline image arrives as it was |
| structured output | the JSON schema arrives, and the answer fits it |
| reasoning, two turns | the upstream is asked to reason; its reasoning shows, with a count of its tokens; on the second turn its signatures come back to it unchanged, in order |
| stop | stop sequences arrive (where the language has them), and the reply ends in the language's word for a stop |
| length | the bound arrives, and the reply ends in the language's word for it |
| refusal | the model's refusal shows as one, with its words |
| error | a 429 of the upstream's is a rate limit in the client's language |
| error halfway, cut stream | what was said before arrives; a stream ends in the language's error event and without its end mark; a whole reply is a 5xx |

**holds**: all of that. **dropped**: the reply comes, without what the header ` + "`x-aistrale-dropped`" + ` names. **absent**: the reply comes, without what the upstream does not give. **refused**: a 400 that says why. Numbers lead to the reasons below. Between the same languages the client's and the upstream's bytes are relayed as they are (*exact*). OpenAI Chat is Chat Completions alone, as most compatible servers have it, and OpenAI Responses a model that OpenAI serves there alone; of its other models clients of either are answered exactly.
`

func (m *matrix) page() []byte {
	b := bytes.NewBufferString(pageHead)
	for _, face := range clientFaces {
		fmt.Fprintf(b, "\n## Clients of %s\n\n| scenario |", face.name)
		for _, up := range upstreams {
			same := ""
			if up.language == face.language {
				same = " (exact)"
			}
			fmt.Fprintf(b, " %s%s, whole | streamed |", up.name, same)
		}
		b.WriteString("\n|---|" + strings.Repeat("---|", 2*len(upstreams)) + "\n")
		for _, s := range scenarios {
			fmt.Fprintf(b, "| %s |", s.name)
			for _, up := range upstreams {
				at := spot{face.name, up.name, s.name}
				number, _ := excuseOf(at)
				for _, stream := range []bool{false, true} {
					verdict, _, _ := strings.Cut(m.verdicts[at][stream], ":")
					if verdict != holds {
						verdict = fmt.Sprintf("%s [%d]", verdict, number)
					}
					fmt.Fprintf(b, " %s |", verdict)
				}
			}
			b.WriteString("\n")
		}
	}
	b.WriteString("\n## Reasons\n\n")
	for i, e := range excuses {
		var names []string
		for _, face := range e.faces {
			names = append(names, face.name)
		}
		fmt.Fprintf(b, "%d. *%s* of %s, to clients of %s: %s. %s\n", i+1, e.scenario, e.upstream, strings.Join(names, ", "), e.verdict, e.why)
	}
	return b.Bytes()
}
