package catalog

import (
	"regexp"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/storage"
)

// litellmUnits takes prices by the piece of models that have none by the token, and prices of
// sound by the second, which mostly stand beside those of its tokens: they are for calls whose
// tokens nobody tells.
func litellmUnits(p *storage.Price, model map[string]jsontext.Value) {
	var mode string
	_ = json.Unmarshal(model["mode"], &mode) // "": none
	byToken := len(p.Rates) > 0 && p.Rates[0].Output != nil && *p.Rates[0].Output != 0
	for _, unit := range [...]struct {
		name, figure string
		taken        bool
	}{
		{"output_cost_per_image", "image", !byToken},
		{"input_cost_per_character", "character", !byToken},
		{"input_cost_per_second", "hour_in", mode == "audio_transcription"},
		{"output_cost_per_second", "hour_out", mode == "audio_speech"},
	} {
		if !unit.taken {
			continue
		}
		n, ok := nanoOf(model[unit.name], 9)
		if unit.figure == "hour_in" || unit.figure == "hour_out" {
			n, ok = hourOf(model[unit.name])
		}
		if ok && *n > 0 {
			rateOf(p, "", 0).Set(unit.figure, n)
		}
	}
}

// hourOf reads USD a second as nano-USD an hour. Lists round what is sold by the hour or by the
// minute at about 16 digits, which the rounding here takes back.
func hourOf(value jsontext.Value) (*int64, bool) {
	const seconds, most = 3600, 1_000_000
	n, ok := nanoOf(value, 15)
	if !ok || *n > 1<<50 {
		return nil, false
	}
	*n = (*n*seconds + most/2) / most
	return n, true
}

// litellmPictures are prices of images by size and quality, by provider/model: a list has them as
// models of their own, hd/1024-x-1792/dall-e-3.
type litellmPictures map[string][]storage.Image

var litellmPicture = regexp.MustCompile(`^(?:([a-z]+)/)?([0-9]+)-x-([0-9]+)/([^/]+)$`)

// take keeps a model that is such a price.
func (l litellmPictures) take(provider, id string, model map[string]jsontext.Value) bool {
	m := litellmPicture.FindStringSubmatch(id)
	if m == nil {
		return false
	}
	variant := m[2] + "x" + m[3]
	if m[1] != "" && m[1] != "standard" {
		variant += "/" + m[1]
	}
	n, ok := nanoOf(model["output_cost_per_image"], 9)
	if !ok {
		n, ok = nanoOf(model["input_cost_per_image"], 9)
	}
	if !ok {
		n, ok = pixels(model["input_cost_per_pixel"], m[2], m[3])
	}
	if ok && *n > 0 {
		name := provider + "/" + m[4]
		l[name] = append(l[name], storage.Image{Name: variant, Nano: n})
	}
	return true
}

// pixels makes the price of an image of one that was divided by its pixels, and rounded: no image
// costs a part of a tenth of a cent.
func pixels(each jsontext.Value, width, height string) (*int64, bool) {
	const mill = 1_000_000
	n, ok := nanoOf(each, 15)
	w, err1 := strconv.ParseInt(width, 10, 16)
	h, err2 := strconv.ParseInt(height, 10, 16)
	if !ok || err1 != nil || err2 != nil || *n > 1<<32 {
		return nil, false
	}
	*n = (*n*w*h/1_000_000 + mill/2) / mill * mill
	return n, true
}

// lay gives a model its images, where it is not sold by the token.
func (l litellmPictures) lay(p *storage.Price) {
	name := p.Provider + "/" + p.Model
	images := l[name]
	delete(l, name)
	if len(images) == 0 || len(p.Rates) > 0 && (p.Rates[0].Input != nil || p.Rates[0].ImageOut != nil) {
		return
	}
	r := rateOf(p, "", 0)
	for _, v := range images {
		r.Set("image "+v.Name, v.Nano)
	}
	if r.Image == nil {
		r.Image = r.Value("image 1024x1024")
	}
}
