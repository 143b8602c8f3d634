package huggingface

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/media"
)

// TextToImage serves OpenAI's images by POST …/models/{model}, which answers with the image itself.
// The task's own parameters (negative_prompt, guidance_scale, num_inference_steps, scheduler,
// seed) may stand in the client's body too.
//
// Source: https://huggingface.co/docs/inference-providers/tasks/text-to-image
func TextToImage() *providers.Pair {
	return &providers.Pair{Client: "openai", Write: writeImages, Read: readImages}
}

// parameters are the task's that have no word in OpenAI's language.
func parameters() []string {
	return []string{"negative_prompt", "guidance_scale", "num_inference_steps", "scheduler", "seed"}
}

func writeImages(call *providers.Call) (providers.Plan, error) {
	asked, err := media.ReadImages(call, parameters()...)
	if err != nil {
		return providers.Plan{}, err
	}
	seed, seeded, err := call.Doc.Int("seed")
	if err != nil {
		return providers.Plan{}, err
	}
	plan := providers.Plan{Dropped: asked.Dropped}
	for i := range asked.N { // a call makes one image
		body := providers.AppendString([]byte(`{"inputs":`), asked.Prompt)
		begin := len(body)
		if asked.Width > 0 {
			body = appendInt(appendInt(body, "width", asked.Width), "height", asked.Height)
		}
		for _, name := range parameters() {
			if raw := call.Doc.Value(name); name != "seed" && len(raw) > 0 && raw[0] != 'n' {
				body = append(append(providers.AppendString(append(body, ','), name), ':'), raw...)
			}
		}
		if seeded { // the same seed would make the same image
			body = appendInt(body, "seed", seed+i)
		}
		if len(body) > begin {
			body = append(slices.Replace(body, begin, begin+1, []byte(`,"parameters":{`)...), '}')
		}
		plan.Requests = append(plan.Requests, providers.UpstreamRequest{Path: call.Path, Body: append(body, '}')})
	}
	return plan, nil
}

func readImages(call *providers.Call, replies [][]byte) (providers.PairReply, error) {
	asked, err := media.ReadImages(call, parameters()...)
	if err != nil {
		return providers.PairReply{}, err
	}
	var line providers.UsageLine
	line.Set(providers.Images, int64(len(replies))) // the task counts nothing
	usage := providers.Usage{Lines: []providers.UsageLine{line}}
	var pictures []media.Picture
	for _, reply := range replies {
		kind, _, _ := strings.Cut(http.DetectContentType(reply), ";")
		if !strings.HasPrefix(kind, "image/") {
			if message := gjson.GetBytes(reply, "error"); providers.ValidJSON(reply) && message.Type == gjson.String {
				return providers.PairReply{}, &providers.Fault{Kind: providers.FaultUpstream, Message: message.Str, Retryable: true}
			}
			return providers.PairReply{}, media.Unreadable(kind)
		}
		pictures = append(pictures, media.Picture{Type: kind, Data: base64.StdEncoding.EncodeToString(reply)})
	}
	out := asked.Reply(call, pictures, providers.Usage{})
	out.Usage = usage
	return out, nil
}
