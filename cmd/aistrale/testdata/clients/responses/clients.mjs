// Drives a gateway's Responses with OpenAI's own client for Node.js, and with OpenAI's Agents
// SDK. Prints one JSON line per case: {"name", "error"?}. AISTRALE_URL and the key come in by
// environment.
import assert from 'node:assert/strict';
import { Agent, handoff, OpenAIProvider, Runner, setTracingDisabled, tool } from '@openai/agents';
import OpenAI from 'openai';
import { zodTextFormat } from 'openai/helpers/zod';
import { z } from 'zod';

const { AISTRALE_URL: url, AISTRALE_KEY: key } = process.env;
const models = ['mock/gpt', 'mock/claude', 'mock/gemini'];
const connect = (settings) =>
  new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 0, defaultHeaders: settings ? { 'x-mock': settings } : {} });
const client = connect();
const told = (settings) => ({ headers: { 'x-mock': settings } });

const place = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const tools = ['get_weather', 'get_time'].map((name) => ({ type: 'function', name, parameters: place, strict: false }));

async function run(name, work) {
  try {
    await work();
    console.log(JSON.stringify({ name }));
  } catch (err) {
    console.log(JSON.stringify({ name, error: String(err?.stack ?? err) }));
  }
}

async function text(model) {
  const got = await client.responses.create({ model, input: 'Say hello.' }, told('input=19; output=42'));
  assert.equal(got.status, 'completed');
  assert.match(got.output_text, /You said: Say hello/);
  assert.deepEqual([got.usage.input_tokens, got.usage.output_tokens, got.usage.total_tokens], [19, 42, 61]);
}

async function stream(model) {
  const asked = { model, input: 'Say hello.', stream: true, reasoning: { effort: 'low', summary: 'auto' } };
  const events = [];
  for await (const event of await client.responses.create(asked, told('events=20; thinking=1; input=19; output=42'))) {
    assert.equal(event.sequence_number, events.length);
    events.push(event);
  }
  assert.deepEqual(events.slice(0, 2).map((e) => e.type), ['response.created', 'response.in_progress']);
  const said = (type) => events.filter((e) => e.type === type).map((e) => e.delta);
  const last = events.at(-1);
  assert.equal(last.type, 'response.completed');
  assert.equal(last.response.usage.total_tokens, 61);
  assert.equal(said('response.output_text.delta').length, 20);
  const [thought, message] = last.response.output;
  assert.equal(said('response.output_text.delta').join(''), message.content[0].text);
  assert.equal(said('response.reasoning_summary_text.delta').join(''), thought.summary[0].text);
}

// answer gives a whole response: at once, or as the client's helper assembles a stream.
async function answer(asked, settings, streamed) {
  if (!streamed) return client.responses.create(asked, told(settings));
  return client.responses.stream(asked, told(settings)).finalResponse();
}

// loop plays a conversation to its end. Items go back as the client gave them, or, with chain,
// are left to the provider's memory.
async function loop(model, settings, { streamed = false, chain = false, ...more } = {}) {
  let input = [{ role: 'user', content: 'How is the weather in Oslo?' }];
  const rounds = [];
  for (let previous; ; ) {
    const asked = { model, tools, input, ...more };
    if (chain) asked.previous_response_id = previous;
    const got = await answer(asked, settings, streamed);
    const calls = got.output.filter((item) => item.type === 'function_call');
    rounds.push(calls.map((c) => c.name));
    if (calls.length === 0) {
      assert.equal(got.status, 'completed');
      assert.match(got.output_text, /4 degrees/);
      return rounds;
    }
    const outputs = calls.map((call) => {
      assert.ok('city' in JSON.parse(call.arguments));
      return { type: 'function_call_output', call_id: call.call_id, output: '4 degrees' };
    });
    previous = got.id;
    input = chain ? outputs : [...input, ...got.output, ...outputs];
    assert.ok(rounds.length < 9, 'the loop does not end');
  }
}

async function toolLoop(model, streamed) {
  assert.deepEqual(await loop(model, 'tool=get_weather', { streamed }), [['get_weather'], []]);
  assert.deepEqual(await loop(model, 'tool=get_weather,get_time', { streamed }), [['get_weather', 'get_time'], []]);
}

// reasoning is a loop with thinking, kept by nobody: what is sealed comes back. The emulator
// refuses seals that are not as it made them.
async function reasoning(model, streamed) {
  const more = { streamed, store: false, include: ['reasoning.encrypted_content'], reasoning: { effort: 'low', summary: 'auto' } };
  assert.equal((await loop(model, 'thinking=1; tool=get_weather', more)).length, 2);
  assert.equal((await loop(model, 'thinking=1; steps=3; tool=get_weather', more)).length, 4);
}

const Person = z.object({ name: z.string(), age: z.number().int(), mood: z.enum(['calm', 'cross']) });

async function structured(model) {
  const got = await client.responses.parse({ model, input: 'Who?', text: { format: zodTextFormat(Person, 'person') } });
  Person.parse(got.output_parsed);
}

async function kept(model) {
  assert.deepEqual(await loop(model, 'steps=2; tool=get_weather', { chain: true }), [['get_weather'], ['get_weather'], []]);
  const first = await client.responses.create({ model, input: 'Say hello.' });
  assert.equal((await client.responses.retrieve(first.id)).output_text, first.output_text);
  const items = await client.responses.inputItems.list(first.id);
  assert.equal(items.data[0].content[0].text, 'Say hello.');
  const second = await client.responses.create({ model, input: 'More.', previous_response_id: first.id });
  assert.equal(second.previous_response_id, first.id);
  await client.responses.delete(first.id);
  await assert.rejects(client.responses.retrieve(first.id), OpenAI.NotFoundError);
  await assert.rejects(client.responses.create({ model, input: 'More.', previous_response_id: first.id }), OpenAI.APIError);
}

async function ends(model) {
  const got = await client.responses.create({ model, input: 'Say hello.', max_output_tokens: 16 }, told('events=40'));
  assert.deepEqual([got.status, got.incomplete_details.reason], ['incomplete', 'max_output_tokens']);
  const no = await client.responses.create({ model, input: 'Say hello.' }, told('refuse'));
  assert.ok(no.output[0]?.content[0].type === 'refusal' || no.incomplete_details?.reason === 'content_filter', JSON.stringify(no));
  await assert.rejects(client.responses.create({ model, input: 'Say hello.' }, told('status=429')), OpenAI.RateLimitError);
  for (const settings of ['events=20; cut=3', 'events=20; error=3']) {
    const events = await client.responses.create({ model, input: 'Hi.', stream: true }, told(settings));
    await assert.rejects(async () => {
      for await (const event of events) assert.notEqual(event.type, 'response.completed');
    }, OpenAI.APIError);
  }
}

setTracingDisabled(true); // traces go to OpenAI

const runner = (settings) => new Runner({ modelProvider: new OpenAIProvider({ openAIClient: connect(settings), useResponses: true }) });

function agents(model) {
  const looked = [];
  const look = tool({
    name: 'get_weather',
    description: 'The weather of a city.',
    parameters: z.object({ city: z.string() }),
    execute: async ({ city }) => { looked.push(city); return '4 degrees'; },
  });
  const weather = new Agent({ name: 'weather', instructions: 'Tell the weather.', model, tools: [look] });
  const desk = new Agent({ name: 'desk', instructions: 'Hand over to who knows.', model, handoffs: [handoff(weather)] });
  return { desk, weather, looked };
}

// handOff has the first agent hand over to the second, which then calls a tool of its own.
async function handOff(model, streamed) {
  const { desk, weather, looked } = agents(model);
  const first = await runner('tool=transfer_to_weather').run(desk, 'How is the weather in Oslo?', { stream: streamed });
  if (streamed) {
    for await (const event of first) assert.ok(event.type);
    await first.completed;
  }
  assert.equal(first.lastAgent.name, 'weather');
  assert.match(first.finalOutput, /transfer_to_weather said/);
  const history = [...first.history, { role: 'user', content: 'And in Bergen?' }];
  const second = await runner('tool=get_weather').run(weather, history);
  assert.equal(looked.length, 1);
  assert.match(second.finalOutput, /4 degrees/);
}

for (const model of models) {
  await run(`text ${model}`, () => text(model));
  await run(`stream ${model}`, () => stream(model));
  await run(`tools ${model}`, () => toolLoop(model, false));
  await run(`tools streamed ${model}`, () => toolLoop(model, true));
  await run(`reasoning ${model}`, () => reasoning(model, false));
  await run(`reasoning streamed ${model}`, () => reasoning(model, true));
  await run(`structured ${model}`, () => structured(model));
  await run(`ends ${model}`, () => ends(model));
  await run(`hand-off ${model}`, () => handOff(model, false));
  await run(`hand-off streamed ${model}`, () => handOff(model, true));
}
await run('previous response mock/gpt', () => kept('mock/gpt'));
