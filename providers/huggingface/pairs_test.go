package huggingface_test

import (
	"testing"

	"github.com/aistrale/aistrale/providers/huggingface"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/providertest"
)

func TestGoldenPair(t *testing.T) {
	providertest.GoldenPair(t, "pairs", openai.Face{}, openai.Dialect{}, huggingface.FeatureExtraction())
}

func TestImages(t *testing.T) {
	providertest.GoldenPair(t, "images", openai.Face{}, openai.Dialect{}, huggingface.TextToImage())
}

func TestTranscriptions(t *testing.T) {
	providertest.GoldenPair(t, "transcriptions", openai.Face{}, openai.Dialect{}, huggingface.SpeechRecognition())
}
