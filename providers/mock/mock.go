// Package mock emulates the providers' wire formats (OpenAI's, Anthropic's, Gemini's and the
// tasks of Hugging Face's inference) over HTTP, for demos, tests and benchmarks: it validates what they validate, answers in their
// words, fails on demand and keeps a bill of its own. It must never call anyone, and must
// never share code with the languages that the gateway speaks, whose errors it is to find.
//
// # Addresses
//
//	/openai/v1       /chat/completions /responses /completions /embeddings /models
//	                 /files /uploads /batches /vector_stores /conversations /containers
//	                 /responses/{id} /responses/input_tokens /moderations
//	                 /audio/speech /audio/transcriptions /audio/translations
//	                 /images/generations /images/edits /images/variations
//	/anthropic       /v1/messages /v1/messages/count_tokens /v1/models /v1/files
//	                 /v1/messages/batches
//	/gemini/v1beta   /models/{m}:generateContent :streamGenerateContent?alt=sse :countTokens
//	                 :embedContent :batchEmbedContents /models /files /cachedContents,
//	                 and /upload/v1beta/files beside it
//	/hf-inference    /models/{m} (text-to-image, and where the name has "whisper" speech recognition)
//	                 /models/{m}/pipeline/feature-extraction
//	/bill            GET: what was served and what it costs, as JSON; DELETE: from zero
//	/calls           GET: the last requests as they came, and how many are open; DELETE: forget
//
// Every model is known but those whose name begins with "missing". Every key is good but "bad".
// Sounds and images are billed by tokens, but for models whose names begin with "tts-1" (by
// character), "whisper" (by second) and "dall-e" (by image). Sounds are tones (wav, pcm) or silence
// (mp3), images eight by eight dots, which Gemini's models whose names end with "-image" answer with; other sounds only begin like what they are called.
//
// # Behaviour
//
// The request header x-mock is a list of settings, separated by semicolons. A duration is
// written as Go writes it (100ms, 2s). A number of content events counts events that carry
// text, reasoning or arguments, so that it means the same in every language.
//
//	status=429        refuse with this status (400 to 599), in the language's own words
//	retry-after=2     say so in a refusal: seconds, or a duration
//	quota             the refusal is about a spent quota, which no waiting heals
//	delay=100ms       wait before the first byte of the head
//	slow-headers=50ms wait in the middle of the head
//	pause=50ms        wait between the head and the first byte of the body
//	chunk=20ms        wait between the events of a stream
//	hang              never answer; wait until the client leaves
//	cut=3             drop the connection after 3 content events; 0: without any answer
//	stall=3           after 3 content events send nothing until the client leaves
//	error=3           an error event after 3 content events; a whole reply is a 500
//	events=50         as many content events of text
//	tool=a,b          call these tools (in parallel) where no tool result came yet
//	steps=2           call them again after each result until so many rounds were made
//	thinking=1        as many blocks of reasoning, one before each of the blocks that follow
//	redacted          the reasoning is redacted (Anthropic)
//	json={"a":1}      answer with this JSON (without semicolons)
//	refuse            the model refuses
//	finish=length     stop, length, content_filter, or a native reason
//	input=19 output=42 cached=5 reasoning=7   the usage to report, in tokens
//
// Anything else is a 400. A setting of 1 may leave out "=1".
//
// # Signatures
//
// Reasoning and calls carry signatures that the mock can check: HMACs of the block and, for
// Anthropic, of all blocks before it in the turn. A conversation that comes back without them,
// changed or in another order is refused as the provider refuses it.
package mock

// The base paths under which a Server speaks each language.
const (
	OpenAIPath    = "/openai/v1"
	AnthropicPath = "/anthropic"
	GeminiPath    = "/gemini/v1beta"
)
