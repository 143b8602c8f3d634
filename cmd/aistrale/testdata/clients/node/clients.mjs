// Drives a gateway with OpenAI's own client for Node.js. Prints one JSON line per case:
// {"name", "error"?}. AISTRALE_URL and the keys come in by environment.
import assert from 'node:assert/strict';
import OpenAI from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import { z } from 'zod';

const { AISTRALE_URL: url, AISTRALE_KEY: key, AISTRALE_NARROW_KEY: narrow } = process.env;
const models = ['mock/gpt', 'mock/claude', 'mock/gemini'];
const pixel =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg==';

const connect = (apiKey) => new OpenAI({ apiKey, baseURL: `${url}/v1`, maxRetries: 0 });
const client = connect(key);
const told = (settings, more) => ({ headers: { 'x-mock': settings }, ...more });
const hello = [{ role: 'user', content: 'Say hello.' }];

const place = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const tools = ['get_weather', 'get_time'].map((name) => ({ type: 'function', function: { name, parameters: place } }));

async function run(name, work) {
  try {
    await work();
    console.log(JSON.stringify({ name }));
  } catch (err) {
    console.log(JSON.stringify({ name, error: String(err?.stack ?? err) }));
  }
}

async function chat(model) {
  const got = await client.chat.completions.create({ model, messages: hello }, told('input=19; output=42'));
  const [choice] = got.choices;
  assert.equal(choice.message.role, 'assistant');
  assert.ok(choice.message.content);
  assert.equal(choice.finish_reason, 'stop');
  assert.deepEqual(
    [got.usage.prompt_tokens, got.usage.completion_tokens, got.usage.total_tokens],
    [19, 42, 61],
  );
}

async function stream(model) {
  const asked = { model, messages: hello, stream: true, stream_options: { include_usage: true } };
  const chunks = await client.chat.completions.create(asked, told('events=20; input=19; output=42'));
  let deltas = 0;
  let finish;
  let usage;
  for await (const chunk of chunks) {
    if (chunk.choices[0]?.delta.content) deltas++;
    finish = chunk.choices[0]?.finish_reason ?? finish;
    usage = chunk.usage ?? usage;
  }
  assert.equal(deltas, 20);
  assert.equal(finish, 'stop');
  assert.equal(usage.total_tokens, 61);
}

async function withoutUsage(model) {
  const chunks = await client.chat.completions.create({ model, messages: hello, stream: true });
  for await (const chunk of chunks) {
    assert.equal(chunk.choices.length, 1, 'a chunk that nobody asked for');
  }
}

// one answers a turn: whole, or by the helper that assembles a stream.
async function one(asked, settings, streamed) {
  if (!streamed) {
    return (await client.chat.completions.create(asked, told(settings))).choices[0];
  }
  const runner = client.chat.completions.stream(asked, told(settings));
  return (await runner.finalChatCompletion()).choices[0];
}

// loop plays a conversation to its end, handing each answer back as the client gave it.
async function loop(model, settings, { streamed = false, ...more } = {}) {
  const messages = [{ role: 'user', content: 'How is the weather in Oslo?' }];
  const rounds = [];
  for (;;) {
    const { message, finish_reason } = await one({ model, messages, tools, ...more }, settings, streamed);
    const calls = message.tool_calls ?? [];
    rounds.push(calls.map((c) => c.function.name));
    if (calls.length === 0) {
      assert.equal(finish_reason, 'stop');
      assert.match(message.content, /4 degrees/);
      return rounds;
    }
    assert.equal(finish_reason, 'tool_calls');
    messages.push(message);
    for (const call of calls) {
      assert.ok('city' in JSON.parse(call.function.arguments));
      messages.push({ role: 'tool', tool_call_id: call.id, content: '4 degrees' });
    }
    assert.ok(rounds.length < 9, 'the loop does not end');
  }
}

async function toolLoop(model, streamed) {
  assert.deepEqual(await loop(model, 'tool=get_weather', { streamed }), [['get_weather'], []]);
  assert.deepEqual(await loop(model, 'tool=get_weather,get_time', { streamed }), [['get_weather', 'get_time'], []]);
}

// reasoning is turn two of a loop with thinking; the emulator refuses a turn whose signatures
// are not as it made them.
async function reasoning(model, streamed) {
  const more = { streamed, reasoning_effort: 'low' };
  assert.equal((await loop(model, 'thinking=1; tool=get_weather', more)).length, 2);
  assert.equal((await loop(model, 'thinking=2; tool=get_weather,get_time', more)).length, 2);
  assert.equal((await loop(model, 'thinking=1; steps=3; tool=get_weather', more)).length, 4);
}

const Person = z.object({ name: z.string(), age: z.number().int(), mood: z.enum(['calm', 'cross']) });

async function structured(model) {
  const got = await client.chat.completions.parse({
    model,
    messages: hello,
    response_format: zodResponseFormat(Person, 'person'),
  });
  Person.parse(got.choices[0].message.parsed);
}

async function image(model) {
  const content = [
    { type: 'text', text: 'What is this?' },
    { type: 'image_url', image_url: { url: pixel } },
  ];
  const got = await client.chat.completions.create({ model, messages: [{ role: 'user', content }] });
  assert.ok(got.choices[0].message.content);
}

// The client asks for base64 by itself and turns it back into numbers.
async function embeddings(model) {
  const got = await client.embeddings.create({ model, input: ['one', 'two'] });
  assert.equal(got.data.length, 2);
  assert.ok(got.data[1].embedding.length > 1 && got.data[1].embedding.every(Number.isFinite));
  assert.ok(got.data[1].embedding.some((x) => x !== 0));
  assert.ok(got.usage.prompt_tokens > 0);
}

async function listModels() {
  const ids = [];
  for await (const model of client.models.list()) ids.push(model.id);
  for (const model of models) assert.ok(ids.includes(model), `${model} is not among ${ids}`);
}

async function refused(type, work, status, code) {
  await assert.rejects(work, (err) => {
    assert.ok(err instanceof type, `${err?.constructor?.name}: ${err}`);
    assert.equal(err.status, status);
    assert.equal(err.code ?? undefined, code);
    assert.ok(err.requestID, 'no request id');
    return true;
  });
}

async function errors(model) {
  const send = (by, settings, more) => by.chat.completions.create({ model, messages: hello, ...more }, told(settings));
  await refused(OpenAI.BadRequestError, send(client, 'status=400'), 400);
  await refused(OpenAI.BadRequestError, send(client, '', { n: 0 }), 400, 'integer_below_min_value');
  await refused(OpenAI.AuthenticationError, send(connect('sk-ais-nobody01-wrong'), ''), 401, 'invalid_api_key');
  await refused(OpenAI.PermissionDeniedError, send(connect(narrow), '', { model: 'mock/claude' }), 403, 'model_not_found');
  await refused(OpenAI.NotFoundError, send(client, '', { model: 'nobody/knows' }), 404, 'model_not_found');
  await refused(OpenAI.NotFoundError, send(client, '', { model: 'mock/missing-one' }), 404, 'model_not_found');
  await refused(OpenAI.RateLimitError, send(client, 'status=429; retry-after=2'), 429, 'rate_limit_exceeded');
  await refused(OpenAI.InternalServerError, send(client, 'status=500'), 502, 'upstream_error');
}

// A stream that breaks in the middle is an error, never a short answer.
async function broken(model) {
  for (const settings of ['events=20; cut=3', 'events=20; error=3']) {
    const chunks = await client.chat.completions.create({ model, messages: hello, stream: true }, told(settings));
    await assert.rejects(async () => {
      for await (const chunk of chunks) assert.ok(chunk);
    }, OpenAI.APIError);
  }
}

async function abort(model) {
  const chunks = await client.chat.completions.create(
    { model, messages: hello, stream: true },
    told('events=100000; chunk=5ms'),
  );
  let seen = 0;
  for await (const chunk of chunks) {
    if (chunk.choices[0]?.delta.content && ++seen === 3) chunks.controller.abort();
  }
  assert.ok(seen >= 3 && seen < 1000, `${seen} events`);
}

for (const model of models) {
  await run(`chat ${model}`, () => chat(model));
  await run(`stream ${model}`, () => stream(model));
  await run(`stream without usage ${model}`, () => withoutUsage(model));
  await run(`tools ${model}`, () => toolLoop(model, false));
  await run(`tools streamed ${model}`, () => toolLoop(model, true));
  await run(`reasoning ${model}`, () => reasoning(model, false));
  await run(`reasoning streamed ${model}`, () => reasoning(model, true));
  await run(`structured output ${model}`, () => structured(model));
  await run(`image ${model}`, () => image(model));
  await run(`errors ${model}`, () => errors(model));
  await run(`broken stream ${model}`, () => broken(model));
  await run(`abort ${model}`, () => abort(model));
}
await run('embeddings mock/gpt', () => embeddings('mock/gpt'));
await run('embeddings mock/gemini', () => embeddings('mock/gemini'));
await run('models', listModels);
