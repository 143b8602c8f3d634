// Drives what a gateway keeps of Responses with OpenAI's own client for Node.js. Prints one JSON
// line per case: {"name", "error"?}. AISTRALE_URL and the key come in by environment.
import assert from 'node:assert/strict';
import OpenAI from 'openai';

const { AISTRALE_URL: url, AISTRALE_STORE_KEY: key } = process.env;
const client = new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 0 });
const told = (settings) => ({ headers: { 'x-mock': settings } });
const place = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const tools = [{ type: 'function', name: 'get_weather', parameters: place, strict: false }];

async function run(name, work) {
  try {
    await work();
    console.log(JSON.stringify({ name }));
  } catch (err) {
    console.log(JSON.stringify({ name, error: String(err?.stack ?? err) }));
  }
}

const ask = (asked, streamed) =>
  streamed ? client.responses.stream(asked, told('thinking=1')).finalResponse() : client.responses.create(asked, told('thinking=1'));

// chain plays a tool's loop that sends nothing but what is new.
async function chain(model, streamed) {
  const first = await ask({ model, tools, input: 'Please use the tool.' }, streamed);
  const calls = first.output.filter((item) => item.type === 'function_call');
  assert.ok(calls.length > 0 && first.store);
  const input = calls.map((c) => ({ type: 'function_call_output', call_id: c.call_id, output: 'it rains' }));
  const second = await ask({ model, tools, input, previous_response_id: first.id }, streamed);
  assert.match(second.output_text ?? second.output.at(-1).content[0].text, /it rains/);
  const kept = await client.responses.retrieve(second.id);
  assert.deepEqual(kept.output.map((item) => item.id), second.output.map((item) => item.id)); // the helper adds members
  const types = [];
  for await (const event of await client.responses.retrieve(second.id, { stream: true })) {
    assert.equal(event.sequence_number, types.length);
    types.push(event.type);
  }
  assert.deepEqual([types[0], types.at(-1)], ['response.created', 'response.completed']);
  await client.responses.delete(first.id);
  await assert.rejects(client.responses.retrieve(first.id), OpenAI.NotFoundError);
}

async function conversation(model) {
  const { id } = await client.conversations.create({ items: [{ role: 'user', content: 'My name is Ann.' }], metadata: { topic: 'names' } });
  const got = await client.responses.create({ model, input: 'Hello.', conversation: { id } });
  assert.equal(got.conversation.id, id);
  const texts = [];
  for await (const item of client.conversations.items.list(id, { order: 'asc', limit: 2 })) texts.push(item.content[0].text);
  assert.deepEqual(texts.slice(0, 2), ['My name is Ann.', 'Hello.']);
  assert.equal(texts.length, 3);
  assert.equal((await client.conversations.delete(id)).deleted, true);
  await assert.rejects(client.conversations.retrieve(id), OpenAI.NotFoundError);
}

for (const model of ['mock/claude', 'mock/gemini']) {
  await run(`chain/${model}`, () => chain(model, false));
  await run(`chain of streams/${model}`, () => chain(model, true));
  await run(`conversation/${model}`, () => conversation(model));
}
