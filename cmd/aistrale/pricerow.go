package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/storage"
)

// priceRow is one rate of a price as --json prints it: flat, figures in USD for a million tokens
// or each, null where they are not known.
type priceRow struct {
	ID       string `json:"id"`
	Provider string `json:"provider"`
	Model    string `json:"model"`
	From     string `json:"from"` // a day; "" always
	Tier     string `json:"tier"`
	Over     int64  `json:"over"`

	Input          jsontext.Value `json:"input"`
	CacheRead      jsontext.Value `json:"cache_read"`
	CacheWrite5m   jsontext.Value `json:"cache_write_5m"`
	CacheWrite1h   jsontext.Value `json:"cache_write_1h"`
	Output         jsontext.Value `json:"output"`
	Reasoning      jsontext.Value `json:"reasoning"`
	AudioIn        jsontext.Value `json:"audio_in"`
	AudioCacheRead jsontext.Value `json:"audio_cache_read"`
	AudioOut       jsontext.Value `json:"audio_out"`
	ImageIn        jsontext.Value `json:"image_in"`
	ImageOut       jsontext.Value `json:"image_out"`
	Request        jsontext.Value `json:"request"`
	Image          jsontext.Value `json:"image"`
	Search         jsontext.Value `json:"search"`
	Character      jsontext.Value `json:"character"`
	HourIn         jsontext.Value `json:"hour_in"`
	HourOut        jsontext.Value `json:"hour_out"`

	Images     string `json:"images"` // "1024x1792=0.08,1024x1792/hd=0.12"
	MinSeconds int64  `json:"min_seconds"`

	Regions string `json:"regions"` // "eu=1.1,us=1.1"
	List    string `json:"list"`    // config, store or catalogue
	Source  string `json:"source"`
	Checked string `json:"checked"`
}

func priceRowOf(p *storage.Price, r *storage.Rate, list string) priceRow {
	n := func(nano *int64) jsontext.Value {
		if nano == nil {
			return jsontext.Value("null")
		}
		return jsontext.Value(storage.FormatUSD(*nano))
	}
	return priceRow{
		ID: p.ID, Provider: p.Provider, Model: p.Model, From: dayOf(p.From), Tier: r.Tier, Over: r.Over,
		Input: n(r.Input), CacheRead: n(r.CacheRead), CacheWrite5m: n(r.CacheWrite5m), CacheWrite1h: n(r.CacheWrite1h),
		Output: n(r.Output), Reasoning: n(r.Reasoning), AudioIn: n(r.AudioIn), AudioCacheRead: n(r.AudioCacheRead),
		AudioOut: n(r.AudioOut), ImageIn: n(r.ImageIn), ImageOut: n(r.ImageOut), Request: n(r.Request), Image: n(r.Image),
		Search: n(r.Search), Character: n(r.Character), HourIn: n(r.HourIn), HourOut: n(r.HourOut),
		Images: imageText(r), MinSeconds: r.MinSeconds,
		Regions: regionText(p), List: list, Source: p.Source, Checked: p.Checked,
	}
}

func regionText(p *storage.Price) string {
	var parts []string
	for _, region := range slices.Sorted(maps.Keys(p.Regions)) {
		parts = append(parts, fmt.Sprintf("%s=%s", region, storage.FormatUSD(p.Regions[region]*1_000_000)))
	}
	return strings.Join(parts, ",")
}

func imageText(r *storage.Rate) string {
	var parts []string
	for _, v := range r.Variants {
		parts = append(parts, v.Name+"="+dollars(v.Nano))
	}
	return strings.Join(parts, ",")
}
