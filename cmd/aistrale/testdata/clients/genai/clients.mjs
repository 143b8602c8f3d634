// Drives a gateway with Google's own client for Node.js. Prints one JSON line per case:
// {"name", "error"?}. AISTRALE_URL and the keys come in by environment.
import assert from 'node:assert/strict';
import { GoogleGenAI, Type, createPartFromFunctionResponse } from '@google/genai';

const { AISTRALE_URL: url, AISTRALE_KEY: key, AISTRALE_NARROW_KEY: narrow } = process.env;
const models = ['mock/gpt', 'mock/claude', 'mock/gemini'];
const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg==';

const connect = (apiKey) => new GoogleGenAI({ apiKey, httpOptions: { baseUrl: `${url}/gemini` } });
const client = connect(key);
const told = (settings) => ({ httpOptions: { headers: { 'x-mock': settings } } });

const parameters = { type: Type.OBJECT, properties: { city: { type: Type.STRING } }, required: ['city'] };
const tools = [{ functionDeclarations: ['get_weather', 'get_time'].map((name) => ({ name, parameters })) }];

async function run(name, work) {
  try {
    await work();
    console.log(JSON.stringify({ name }));
  } catch (err) {
    console.log(JSON.stringify({ name, error: String(err?.stack ?? err) }));
  }
}

async function generate(model) {
  const got = await client.models.generateContent({ model, contents: 'Say hello.', config: told('input=19; output=42') });
  assert.ok(got.text);
  assert.equal(got.candidates[0].finishReason, 'STOP');
  assert.equal(got.candidates[0].content.role, 'model');
  assert.ok(got.responseId && got.modelVersion);
  const { promptTokenCount, candidatesTokenCount, totalTokenCount } = got.usageMetadata;
  assert.deepEqual([promptTokenCount, candidatesTokenCount, totalTokenCount], [19, 42, 61]);
}

async function stream(model) {
  const chunks = await client.models.generateContentStream({
    model,
    contents: 'Say hello.',
    config: told('events=20; input=19; output=42; chunk=2ms'),
  });
  let texts = 0;
  let last;
  for await (const chunk of chunks) {
    if (chunk.text) texts++;
    last = chunk;
  }
  assert.equal(texts, 20);
  assert.equal(last.candidates[0].finishReason, 'STOP');
  assert.equal(last.usageMetadata.totalTokenCount, 61);
}

// turn answers a conversation: whole, or put together from a stream's parts.
async function turn(asked, streamed) {
  if (!streamed) {
    const got = await client.models.generateContent(asked);
    return got.candidates[0].content;
  }
  const parts = [];
  for await (const chunk of await client.models.generateContentStream(asked)) {
    parts.push(...(chunk.candidates?.[0].content?.parts ?? []));
  }
  return { role: 'model', parts };
}

// loop plays a conversation to its end, handing each answer back as the client gave it.
async function loop(model, settings, streamed, config = {}) {
  const contents = [{ role: 'user', parts: [{ text: 'How is the weather in Oslo?' }] }];
  const rounds = [];
  for (;;) {
    const content = await turn({ model, contents, config: { tools, ...config, ...told(settings) } }, streamed);
    contents.push(content);
    const calls = content.parts.filter((p) => p.functionCall).map((p) => p.functionCall);
    rounds.push(calls.map((c) => c.name));
    if (calls.length === 0) {
      return { rounds, contents, text: content.parts.map((p) => (p.thought ? '' : (p.text ?? ''))).join('') };
    }
    assert.equal(new Set(calls.map((c) => c.id)).size, calls.length, 'ids of calls');
    assert.ok(calls.every((c) => typeof c.args.city === 'string'));
    contents.push({ role: 'user', parts: calls.map((c) => createPartFromFunctionResponse(c.id, c.name, { output: `${c.name}: 12` })) });
    assert.ok(rounds.length < 9, 'a loop without end');
  }
}

async function toolsLoop(model, streamed) {
  const got = await loop(model, 'tool=get_weather,get_time; steps=2', streamed);
  assert.deepEqual(got.rounds, [['get_weather', 'get_time'], ['get_weather', 'get_time'], []]);
  assert.match(got.text, /12/);
}

// thinking needs the signatures of the first turn in the second: the emulator checks them.
async function thinking(model, streamed) {
  const config = { maxOutputTokens: 4096, thinkingConfig: { includeThoughts: true } };
  const got = await loop(model, 'thinking=1; tool=get_weather; steps=2', streamed, config);
  assert.deepEqual(got.rounds, [['get_weather'], ['get_weather'], []]);
  const parts = got.contents.flatMap((c) => c.parts);
  if (model !== 'mock/gpt') assert.ok(parts.some((p) => p.thought && p.text), 'no thoughts are shown');
  assert.ok(parts.some((p) => p.thoughtSignature), 'no signatures');
}

// chat keeps a stream's chunks as contents of their own.
async function chat(model) {
  const talk = client.chats.create({ model, config: told('thinking=1') });
  for (let i = 0; i < 2; i++) {
    let text = '';
    for await (const chunk of await talk.sendMessageStream({ message: `Say ${i}.` })) text += chunk.text ?? '';
    assert.match(text, new RegExp(`${i}`));
  }
  assert.ok(talk.getHistory(true).length >= 4, 'the client takes an answer for invalid');
}

async function structured(model) {
  const responseSchema = { type: Type.OBJECT, properties: { n: { type: Type.INTEGER }, note: { type: Type.STRING, nullable: true } }, required: ['n', 'note'] };
  const got = await client.models.generateContent({ model, contents: 'A number.', config: { responseMimeType: 'application/json', responseSchema } });
  assert.equal(typeof JSON.parse(got.text).n, 'number');
}

async function image(model) {
  const parts = [{ text: 'What is this?' }, { inlineData: { mimeType: 'image/png', data: pixel } }];
  assert.ok((await client.models.generateContent({ model, contents: [{ role: 'user', parts }] })).text);
}

async function length(model) {
  const got = await client.models.generateContent({ model, contents: 'Go on.', config: { maxOutputTokens: 20, ...told('events=100') } });
  assert.equal(got.candidates[0].finishReason, 'MAX_TOKENS');
}

async function refused(model, streamed, settings = 'status=400', status = 400, word = /INVALID_ARGUMENT/) {
  const asked = { model, contents: 'Hello.', config: told(settings) };
  const call = streamed ? client.models.generateContentStream(asked) : client.models.generateContent(asked);
  await assert.rejects(call, (err) => err.name === 'ApiError' && err.status === status && word.test(err.message));
}

async function broken(model) {
  const chunks = await client.models.generateContentStream({ model, contents: 'Hello.', config: told('events=9; error=3') });
  await assert.rejects(async () => {
    for await (const chunk of chunks) void chunk;
  }, /UNAVAILABLE|INTERNAL/);
}

for (const model of models) {
  const short = model.slice('mock/'.length);
  await run(`${short}/generate`, () => generate(model));
  await run(`${short}/stream`, () => stream(model));
  for (const streamed of [false, true]) {
    const how = streamed ? 'streamed' : 'whole';
    await run(`${short}/tools, ${how}`, () => toolsLoop(model, streamed));
    await run(`${short}/thinking, ${how}`, () => thinking(model, streamed));
    await run(`${short}/refused, ${how}`, () => refused(model, streamed));
  }
  await run(`${short}/chat`, () => chat(model));
  await run(`${short}/structured`, () => structured(model));
  await run(`${short}/image`, () => image(model));
  await run(`${short}/length`, () => length(model));
  await run(`${short}/broken`, () => broken(model));
}

await run('count', async () => {
  const got = await client.models.countTokens({ model: 'mock/gemini', contents: 'Hello.', config: told('input=19') });
  assert.equal(got.totalTokens, 19);
  await assert.rejects(client.models.countTokens({ model: 'chat/gpt', contents: 'Hello.' }), (err) => err.status === 404 && /count_tokens/.test(err.message));
});
await run('embed', async () => {
  for (const model of ['mock/gemini', 'mock/gpt']) {
    const got = await client.models.embedContent({ model, contents: ['one', 'two'], config: { outputDimensionality: 8 } });
    assert.deepEqual(got.embeddings.map((e) => e.values.length), [8, 8], model);
  }
});
await run('models', async () => {
  const names = [];
  for await (const m of await client.models.list({ config: { pageSize: 2 } })) names.push(m.name);
  for (const model of models) assert.ok(names.includes(`models/${model}`), `${model} is not among ${names}`);
  const got = await client.models.get({ model: 'mock/gemini' });
  assert.equal(got.inputTokenLimit, 1048576);
  const few = [];
  for await (const m of await connect(narrow).models.list()) few.push(m.name);
  assert.deepEqual(few, ['models/mock/gpt']);
});
await run('quota', () => refused('mock/gemini', false, 'status=429; quota', 429, /RESOURCE_EXHAUSTED/));
await run('keys', async () => {
  const asked = { model: 'mock/gemini', contents: 'Hello.' };
  await assert.rejects(connect('wrong').models.generateContent(asked), (err) => err.status === 401 && /UNAUTHENTICATED/.test(err.message));
  await assert.rejects(connect(narrow).models.generateContent(asked), (err) => err.status === 403 && /PERMISSION_DENIED/.test(err.message));
  const inURL = await fetch(`${url}/gemini/v1beta/models/mock/gemini:generateContent?key=${key}`, { method: 'POST', body: '{}' });
  assert.equal(inURL.status, 401);
  assert.match((await inURL.json()).error.message, /x-goog-api-key/);
});
await run('what is not served', async () => {
  const ask = async (path) => {
    const got = await fetch(`${url}/gemini${path}`, { method: 'POST', headers: { 'x-goog-api-key': key }, body: JSON.stringify({ contents: [] }) });
    return [got.status, (await got.json()).error];
  };
  const [status, error] = await ask('/v1beta/models/mock/gemini:streamGenerateContent');
  assert.equal(status, 400);
  assert.match(error.message, /alt=sse/);
  const [none, unknown] = await ask('/v1beta/tunedModels');
  assert.equal(none, 404);
  assert.equal(unknown.status, 'NOT_FOUND');
});
