package mock

// The models that the lists name. Others are served all the same.
const openAIModels = `{"object":"list","data":[` +
	`{"id":"gpt","object":"model","created":` + created + `,"owned_by":"mock"},` +
	`{"id":"embedding","object":"model","created":` + created + `,"owned_by":"mock"}]}`

const anthropicModels = `{"data":[{"type":"model","id":"claude","display_name":"Mock Claude","created_at":"2026-01-01T00:00:00Z",` +
	`"max_input_tokens":1000000,"max_tokens":128000,"capabilities":{` +
	`"batch":{"supported":false},"citations":{"supported":false},"code_execution":{"supported":false},` +
	`"effort":{"supported":true,"low":{"supported":true},"medium":{"supported":true},"high":{"supported":true},"max":{"supported":true}},` +
	`"image_input":{"supported":true},"pdf_input":{"supported":true},"structured_outputs":{"supported":true},` +
	`"thinking":{"supported":true,"types":{"adaptive":{"supported":true},"enabled":{"supported":true}}}}}],` +
	`"has_more":false,"first_id":"claude","last_id":"claude"}`

const geminiModels = `{"models": [{"name": "models/gemini","version": "001","displayName": "Mock Gemini",` +
	`"description": "The built-in emulator.","inputTokenLimit": 1048576,"outputTokenLimit": 65536,` +
	`"supportedGenerationMethods": ["generateContent"],"temperature": 1,"topP": 0.95,"topK": 64,"maxTemperature": 2,"thinking": true},` +
	`{"name": "models/embedding","version": "001","displayName": "Mock Embedding","inputTokenLimit": 2048,"outputTokenLimit": 1,` +
	`"supportedGenerationMethods": ["embedContent"]}]}`
