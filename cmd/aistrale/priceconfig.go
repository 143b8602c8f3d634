package main

import (
	"time"
)

// PriceConfig is one rate of an operator's own price, in USD for a million tokens; request,
// image, search, second and character are USD for one. Figures are decimal text, since a price
// is exact; "" is not known.
type PriceConfig struct {
	Model string    `yaml:"model"` // provider/model; "*" at the end stands for any rest
	From  time.Time `yaml:"from"`  // zero: always
	Tier  string    `yaml:"tier"`  // "" standard, else batch, flex, priority, fast
	Over  int       `yaml:"over"`  // for calls whose input is longer than so many tokens

	Input          string `yaml:"input"`
	CacheRead      string `yaml:"cache_read"`
	CacheWrite5m   string `yaml:"cache_write_5m"`
	CacheWrite1h   string `yaml:"cache_write_1h"`
	Output         string `yaml:"output"`
	Reasoning      string `yaml:"reasoning"`
	AudioIn        string `yaml:"audio_in"`
	AudioCacheRead string `yaml:"audio_cache_read"`
	AudioOut       string `yaml:"audio_out"`
	ImageIn        string `yaml:"image_in"`  // tokens
	ImageOut       string `yaml:"image_out"` // tokens

	Request   string `yaml:"request"`
	Image     string `yaml:"image"`
	Search    string `yaml:"search"`
	Second    string `yaml:"second"`
	Character string `yaml:"character"`

	Regions map[string]string `yaml:"regions"` // factors on the whole cost
}
