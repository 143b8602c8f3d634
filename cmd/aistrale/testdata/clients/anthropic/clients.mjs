// Drives a gateway with Anthropic's own client for Node.js. Prints one JSON line per case:
// {"name", "error"?}. AISTRALE_URL and the keys come in by environment.
import assert from 'node:assert/strict';
import Anthropic from '@anthropic-ai/sdk';

const { AISTRALE_URL: url, AISTRALE_KEY: key, AISTRALE_NARROW_KEY: narrow } = process.env;
const models = ['mock/gpt', 'mock/claude', 'mock/gemini'];
const pixel =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg==';

const connect = (apiKey) => new Anthropic({ apiKey, authToken: null, baseURL: `${url}/anthropic`, maxRetries: 0 });
const client = connect(key);
const told = (settings, more) => ({ headers: { 'x-mock': settings, ...more } });
const hello = [{ role: 'user', content: 'Say hello.' }];
const ask = (model, more) => ({ model, max_tokens: 4096, messages: hello, ...more });

const place = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const tools = ['get_weather', 'get_time'].map((name) => ({ name, input_schema: place }));

async function run(name, work) {
  try {
    await work();
    console.log(JSON.stringify({ name }));
  } catch (err) {
    console.log(JSON.stringify({ name, error: String(err?.stack ?? err) }));
  }
}

const textOf = (message) => message.content.map((b) => (b.type === 'text' ? b.text : '')).join('');

async function message(model) {
  const got = await client.messages.create(ask(model, { system: 'Be brief.' }), told('input=19; output=42'));
  assert.equal(got.type, 'message');
  assert.equal(got.role, 'assistant');
  assert.equal(got.stop_reason, 'end_turn');
  assert.ok(textOf(got));
  assert.deepEqual([got.usage.input_tokens, got.usage.output_tokens], [19, 42]);
}

async function stream(model) {
  const events = await client.messages.create(ask(model, { stream: true }), told('events=20; input=19; output=42'));
  const kinds = [];
  let deltas = 0;
  let usage;
  for await (const event of events) {
    kinds.push(event.type);
    if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') deltas++;
    if (event.type === 'message_delta') {
      assert.equal(event.delta.stop_reason, 'end_turn');
      usage = event.usage;
    }
  }
  assert.equal(deltas, 20);
  assert.deepEqual([kinds[0], kinds.at(-2), kinds.at(-1)], ['message_start', 'message_delta', 'message_stop']);
  assert.equal(usage.output_tokens, 42);
}

async function limit(model) {
  const got = await client.messages.create(ask(model), told('finish=length'));
  assert.equal(got.stop_reason, 'max_tokens');
}

// one answers a turn: whole, or by the helper that assembles a stream.
async function one(asked, settings, streamed) {
  if (!streamed) return client.messages.create(asked, told(settings));
  return client.messages.stream(asked, told(settings)).finalMessage();
}

// loop plays a conversation to its end, handing each answer back as the client gave it.
async function loop(model, settings, { streamed = false, ...more } = {}) {
  const messages = [{ role: 'user', content: 'How is the weather in Oslo?' }];
  const rounds = [];
  for (;;) {
    const got = await one(ask(model, { messages, tools, ...more }), settings, streamed);
    const calls = got.content.filter((b) => b.type === 'tool_use');
    rounds.push(calls.map((c) => c.name));
    if (calls.length === 0) {
      assert.equal(got.stop_reason, 'end_turn');
      assert.match(textOf(got), /4 degrees/);
      return rounds;
    }
    assert.equal(got.stop_reason, 'tool_use');
    messages.push({ role: 'assistant', content: got.content });
    const results = calls.map((call) => {
      assert.ok('city' in call.input);
      return { type: 'tool_result', tool_use_id: call.id, content: '4 degrees' };
    });
    messages.push({ role: 'user', content: results });
    assert.ok(rounds.length < 9, 'the loop does not end');
  }
}

async function toolLoop(model, streamed) {
  assert.deepEqual(await loop(model, 'tool=get_weather', { streamed }), [['get_weather'], []]);
  assert.deepEqual(await loop(model, 'tool=get_weather,get_time', { streamed }), [['get_weather', 'get_time'], []]);
}

// thinking is turn two of a loop with reasoning; the emulator refuses a turn whose signatures are
// not as it made them, also where they were Gemini's and this client carried them.
async function thinking(model, streamed) {
  const more = { streamed, thinking: { type: 'enabled', budget_tokens: 1024 } };
  assert.equal((await loop(model, 'thinking=1; tool=get_weather', more)).length, 2);
  assert.equal((await loop(model, 'thinking=2; tool=get_weather,get_time', more)).length, 2);
  assert.equal((await loop(model, 'thinking=1; steps=3; tool=get_weather', more)).length, 4);
}

// moved is a conversation that began with another model: Anthropic's would refuse its thinking.
async function moved(model) {
  const more = { thinking: { type: 'enabled', budget_tokens: 1024 } };
  const first = await one(ask(model, more), 'thinking=1', true);
  assert.equal(first.content.some((b) => b.type === 'thinking'), model !== 'mock/gpt'); // which tells none
  const messages = [...hello, { role: 'assistant', content: first.content }, { role: 'user', content: 'Go on.' }];
  const got = await client.messages.create(ask('mock/claude', { messages, ...more }));
  assert.ok(textOf(got));
}

async function caching(model) {
  const mark = { cache_control: { type: 'ephemeral' } };
  const asked = ask(model, {
    system: [{ type: 'text', text: 'Long instructions.', ...mark }],
    tools: [{ ...tools[0], ...mark }],
    messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello.', ...mark }] }],
  });
  const { data, response } = await client.messages.create(asked, told('input=19; cached=5')).withResponse();
  assert.deepEqual([data.usage.input_tokens, data.usage.cache_read_input_tokens], [14, 5]);
  assert.equal(response.headers.get('x-aistrale-dropped'), model === 'mock/claude' ? null : 'cache_control');
}

async function image(model) {
  const content = [
    { type: 'text', text: 'What is this?' },
    { type: 'image', source: { type: 'base64', media_type: 'image/png', data: pixel } },
  ];
  assert.ok(textOf(await client.messages.create(ask(model, { messages: [{ role: 'user', content }] }))));
}

async function structured(model) {
  const format = {
    type: 'json_schema',
    schema: { type: 'object', properties: { age: { type: 'integer' } }, required: ['age'], additionalProperties: false },
  };
  const got = await client.messages.create(ask(model, { output_config: { format } }));
  assert.ok(Number.isInteger(JSON.parse(textOf(got)).age));
}

async function countTokens() {
  const asked = { model: 'mock/claude', messages: hello, system: 'Be brief.', tools };
  assert.equal((await client.messages.countTokens(asked, told('input=19'))).input_tokens, 19);
}

async function listModels() {
  const ids = [];
  for await (const model of client.models.list({ limit: 2 })) {
    assert.equal(model.type, 'model');
    assert.ok(model.display_name && !Number.isNaN(Date.parse(model.created_at)));
    ids.push(model.id);
  }
  assert.equal(new Set(ids).size, ids.length);
  for (const model of models) assert.ok(ids.includes(model), `${model} is not among ${ids}`);
  const one = await client.models.retrieve('mock/claude');
  assert.equal(one.id, 'mock/claude');
  assert.ok(one.max_tokens > 0 && one.capabilities.thinking.supported);
}

async function refused(type, work, status, kind) {
  await assert.rejects(work, (err) => {
    assert.ok(err instanceof type, `${err?.constructor?.name}: ${err}`);
    assert.equal(err.status, status);
    assert.equal(err.error.type, 'error');
    assert.equal(err.error.error.type, kind);
    assert.ok(err.error.error.message && err.error.request_id);
    return true;
  });
}

async function errors(model) {
  const send = (by, settings, more) => by.messages.create(ask(model, more), told(settings));
  const invalid = 'invalid_request_error';
  await refused(Anthropic.BadRequestError, send(client, 'status=400'), 400, invalid);
  await refused(Anthropic.BadRequestError, send(client, '', { max_tokens: 0 }), 400, invalid);
  await refused(Anthropic.AuthenticationError, send(connect('sk-ais-nobody01-wrong'), ''), 401, 'authentication_error');
  await refused(Anthropic.PermissionDeniedError, send(connect(narrow), '', { model: 'mock/claude' }), 403, 'permission_error');
  await refused(Anthropic.NotFoundError, send(client, '', { model: 'nobody/knows' }), 404, 'not_found_error');
  await refused(Anthropic.NotFoundError, send(client, '', { model: 'mock/missing-one' }), 404, 'not_found_error');
  await refused(Anthropic.RateLimitError, send(client, 'status=429; retry-after=2'), 429, 'rate_limit_error');
  const busy = model === 'mock/claude' ? 529 : 503; // Anthropic has a status of its own
  await refused(Anthropic.InternalServerError, send(client, `status=${busy}`), 529, 'overloaded_error');
  await refused(Anthropic.InternalServerError, send(client, 'status=401'), 502, 'api_error');
}

// A stream that breaks in the middle is an error, never a short answer.
async function broken(model) {
  for (const settings of ['events=20; cut=3', 'events=20; error=3']) {
    const events = await client.messages.create(ask(model, { stream: true }), told(settings));
    await assert.rejects(async () => {
      for await (const event of events) assert.ok(event);
    }, Anthropic.APIError);
  }
}

async function abort(model) {
  const events = await client.messages.create(ask(model, { stream: true }), told('events=100000; chunk=5ms'));
  let seen = 0;
  for await (const event of events) {
    if (event.type === 'content_block_delta' && ++seen === 3) events.controller.abort();
  }
  assert.ok(seen >= 3 && seen < 1000, `${seen} events`);
}

for (const model of models) {
  await run(`message ${model}`, () => message(model));
  await run(`stream ${model}`, () => stream(model));
  await run(`limit ${model}`, () => limit(model));
  await run(`tools ${model}`, () => toolLoop(model, false));
  await run(`tools streamed ${model}`, () => toolLoop(model, true));
  await run(`thinking ${model}`, () => thinking(model, false));
  await run(`thinking streamed ${model}`, () => thinking(model, true));
  await run(`moved from ${model}`, () => moved(model));
  await run(`caching ${model}`, () => caching(model));
  await run(`image ${model}`, () => image(model));
  await run(`structured output ${model}`, () => structured(model));
  await run(`errors ${model}`, () => errors(model));
  await run(`broken stream ${model}`, () => broken(model));
  await run(`abort ${model}`, () => abort(model));
}
await run('count tokens', countTokens);
await run('count tokens of nobody', () =>
  refused(Anthropic.NotFoundError, client.messages.countTokens({ model: 'refused/gpt', messages: hello }), 404, 'not_found_error'),
);
await run('models', listModels);
