package media

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/aistrale/aistrale/providers"
)

// maxImages is how many images OpenAI makes at once.
const maxImages = 10

// Images is what a client asks of images: to be made, or to be worked on.
type Images struct {
	Prompt        string
	N             int64
	Width, Height int64 // dots, 0 where the client leaves that open
	Edit          bool
	Stream        bool
	// Dropped names what no pair can tell its provider.
	Dropped []string
}

// ReadImages reads the client's body; known are members beside OpenAI's that the caller reads
// itself. Its errors are *providers.Fault.
func ReadImages(call *providers.Call, known ...string) (*Images, error) {
	doc := call.Doc
	a := &Images{N: 1, Edit: call.Op == providers.OpImageEdits, Stream: call.Stream}
	var err error
	if a.Prompt, err = text(doc, "prompt"); err != nil {
		return nil, err
	}
	n, said, err := doc.Int("n")
	switch {
	case err != nil:
		return nil, err
	case said && (n < 1 || n > maxImages):
		return nil, providers.Invalid("n", fmt.Sprintf("Invalid 'n': expected 1 to %d images.", maxImages))
	case said:
		a.N = n
	}
	format, _, err := doc.String("response_format")
	switch {
	case err != nil:
		return nil, err
	case format != "" && format != "b64_json":
		return nil, providers.Invalid("response_format", "This model's provider gives images by their bytes only: leave 'response_format' out, or say 'b64_json'.")
	}
	size, _, err := doc.String("size")
	if err != nil {
		return nil, err
	}
	if err := a.size(size); err != nil {
		return nil, err
	}
	a.Dropped = dropped(doc, append(known, "prompt", "n", "response_format", "size", "stream", "partial_images")...)
	return a, nil
}

func (a *Images) size(said string) error {
	if said == "" || said == "auto" {
		return nil
	}
	width, height, ok := strings.Cut(said, "x")
	w, err1 := strconv.ParseInt(width, 10, 32)
	h, err2 := strconv.ParseInt(height, 10, 32)
	if !ok || err1 != nil || err2 != nil || w < 1 || h < 1 {
		return providers.Invalid("size", "Invalid 'size': expected 'auto' or a width and a height as in '1024x1024'.")
	}
	a.Width, a.Height = w, h
	return nil
}

// Aspect gives the ratio of those given ("16:9") that the size is of; "" where the client leaves it
// open. Sizes of OpenAI's are rounded to 16 dots, hence the tolerance.
func (a *Images) Aspect(ratios ...string) (string, error) {
	if a.Width == 0 {
		return "", nil
	}
	wanted := float64(a.Width) / float64(a.Height)
	for _, ratio := range ratios {
		width, height, _ := strings.Cut(ratio, ":")
		w, err1 := strconv.ParseFloat(width, 64)
		h, err2 := strconv.ParseFloat(height, 64)
		if err1 == nil && err2 == nil && math.Abs(w/h/wanted-1) < 0.02 {
			return ratio, nil
		}
	}
	return "", providers.Invalid("size", "This model's provider makes images of these ratios only: "+strings.Join(ratios, ", ")+".")
}

// A Picture is one image, in base64.
type Picture struct {
	Type string // MIME type
	Data string
}

// Reply says images to the client: a body, or the events of a stream that comes all at once.
func (a *Images) Reply(call *providers.Call, pictures []Picture, usage providers.Usage) providers.PairReply {
	if !a.Stream {
		return providers.PairReply{Body: a.whole(call, pictures, &usage), Usage: usage}
	}
	kind := "image_generation.completed"
	if a.Edit {
		kind = "image_edit.completed"
	}
	var b []byte
	for i := range pictures {
		b = append(append(append(b, "event: "...), kind...), '\n')
		b = append(event(b, kind), `,"b64_json":"`...)
		b = append(append(b, pictures[i].Data...), `",`...)
		b = appendInt(b, "created_at", call.Created.Unix())
		b = appendLook(b, &pictures[i])
		b = append(appendUsage(b, &usage), "}\n\n"...)
	}
	return providers.PairReply{Body: b, Type: "text/event-stream; charset=utf-8", Usage: usage}
}

func (a *Images) whole(call *providers.Call, pictures []Picture, usage *providers.Usage) []byte {
	b := appendInt([]byte{'{'}, "created", call.Created.Unix())
	b = append(b, `,"data":[`...)
	for i := range pictures {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, `{"b64_json":"`...), pictures[i].Data...), `"}`...)
	}
	b = append(b, ']')
	if len(pictures) > 0 {
		b = appendLook(b, &pictures[0])
	}
	return append(appendUsage(b, usage), '}')
}

func appendLook(dst []byte, p *Picture) []byte {
	if format, ok := strings.CutPrefix(p.Type, "image/"); ok {
		dst = providers.AppendString(append(dst, `,"output_format":`...), format)
	}
	return dst
}

// appendUsage appends the usage of images, which is one of tokens, where there is any.
func appendUsage(dst []byte, usage *providers.Usage) []byte {
	if len(usage.Lines) == 0 {
		return dst
	}
	n := usage.Total()
	dst = appendInt(append(dst, `,"usage":{`...), "input_tokens", n.Input())
	dst = appendInt(append(dst, `,"input_tokens_details":{`...), "image_tokens", n.ImageIn)
	dst = appendInt(append(dst, ','), "text_tokens", max(0, n.Input()-n.ImageIn))
	dst = appendInt(append(dst, "},"...), "output_tokens", n.Output)
	return append(appendInt(append(dst, ','), "total_tokens", n.Input()+n.Output), '}')
}
