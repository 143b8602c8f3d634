// Drives a gateway's realtime sessions with OpenAI's own client for Node.js. Prints one JSON line
// per case: {"name", "error"?}. AISTRALE_URL and the keys come in by environment.
import assert from 'node:assert/strict';
import OpenAI from 'openai';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';

const { AISTRALE_URL: url, AISTRALE_KEY: key, AISTRALE_NARROW_KEY: narrow } = process.env;

async function run(name, work) {
  try {
    await work();
    console.log(JSON.stringify({ name }));
  } catch (err) {
    console.log(JSON.stringify({ name, error: String(err?.stack ?? err) }));
  }
}

// session opens a session, and gives what its events are waited for by.
function session(apiKey, model, headers = {}) {
  const client = new OpenAI({ apiKey, baseURL: `${url}/v1` });
  const rt = new OpenAIRealtimeWS({ model, options: { headers, rejectUnauthorized: false } }, client);
  const seen = [];
  const waiting = [];
  const told = (event) => {
    seen.push(event);
    for (const w of [...waiting]) {
      if (w.type === event.type) {
        waiting.splice(waiting.indexOf(w), 1);
        w.resolve(event);
      }
    }
  };
  rt.on('event', told);
  const failed = new Promise((resolve) => rt.on('error', resolve));
  const closed = new Promise((resolve) => rt.socket.on('close', (code, reason) => resolve({ code, reason: String(reason) })));
  const next = (type) => new Promise((resolve) => waiting.push({ type, resolve }));
  return { rt, seen, next: (type) => Promise.race([next(type), failed.then((err) => { throw err; })]), after: next, failed, closed };
}

await run('text', async () => {
  const { rt, seen, next, closed } = session(key, 'mock/gpt', { 'x-mock': 'input=30; output=4' });
  await next('session.created');
  rt.send({ type: 'session.update', session: { type: 'realtime', instructions: 'Be short.', output_modalities: ['text'] } });
  await next('session.updated');
  rt.send({ type: 'conversation.item.create', item: { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Say hello.' }] } });
  rt.send({ type: 'response.create' });
  const done = await next('response.done');
  assert.equal(done.response.usage.input_tokens, 30);
  assert.equal(done.response.usage.output_tokens, 4);
  const text = seen.filter((e) => e.type === 'response.output_text.delta').map((e) => e.delta).join('');
  assert.equal(text, done.response.output[0].content[0].text);
  rt.close();
  await closed;
});

await run('an event that is refused', async () => {
  const { rt, next, after, failed, closed } = session(narrow, 'mock/gpt');
  await next('session.created');
  rt.send({ type: 'session.update', event_id: 'mine', session: { type: 'realtime', tools: [{ type: 'mcp', server_label: 'x', server_url: 'https://example.com' }] } });
  const err = await failed;
  assert.match(err.message, /not allowed/);
  rt.send({ type: 'response.create' }); // the session goes on
  await after('response.done');
  rt.close();
  await closed;
});

await run('a key that is wrong', async () => {
  const { failed } = session('sk-ais-nobody12-' + 'k'.repeat(43), 'mock/gpt');
  assert.match(String((await failed).message), /401/);
});

await run('a model that there is not', async () => {
  const { failed } = session(key, 'nobody/nothing');
  assert.match(String((await failed).message), /404/);
});
process.exit(0);
