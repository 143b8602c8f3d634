// Drives a gateway with OpenAI's own client for Node.js on sounds, images, moderations and files.
// Prints one JSON line per case: {"name", "error"?}. AISTRALE_URL and the key come in by
// environment.
import assert from 'node:assert/strict';
import OpenAI, { toFile } from 'openai';

const { AISTRALE_URL: url, AISTRALE_KEY: key } = process.env;
const client = new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 0 });
const told = (settings) => ({ headers: { 'x-mock': settings } });
const pixel = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg==',
  'base64',
);
const sound = (name = 'a.mp3') => toFile(Buffer.alloc(32_000, 'a'), name);
const dots = (name) => toFile(pixel, name, { type: 'image/png' });

async function run(name, work) {
  try {
    await work();
    console.log(JSON.stringify({ name }));
  } catch (err) {
    console.log(JSON.stringify({ name, error: String(err?.stack ?? err) }));
  }
}

const speak = { model: 'chat/speaker', input: 'one two three', voice: 'ash' };

await run('speech', async () => {
  const got = await client.audio.speech.create({ ...speak, response_format: 'wav' });
  assert.equal(got.headers.get('content-type'), 'audio/wav');
  const bytes = Buffer.from(await got.arrayBuffer());
  assert.equal(bytes.subarray(0, 4).toString(), 'RIFF');
  assert.equal(bytes.length, 44 + 3 * 960);
});

await run('speech as a body that is read as it comes', async () => {
  const got = await client.audio.speech.create({ ...speak, response_format: 'pcm' }, told('events=2000'));
  let bytes = 0;
  for await (const piece of got.body) bytes += piece.length;
  assert.equal(bytes, 2000 * 960);
});

await run('speech as events', async () => {
  const got = await client.audio.speech.create({ ...speak, stream_format: 'sse', response_format: 'wav' });
  assert.match(got.headers.get('content-type'), /^text\/event-stream/);
  const events = (await got.text()).trim().split('\n\n').map((e) => JSON.parse(e.replace(/^data: /, '')));
  const last = events.pop();
  assert.equal(last.type, 'speech.audio.done');
  assert.ok(last.usage.total_tokens > 0);
  const bytes = Buffer.concat(events.map((e) => Buffer.from(e.audio, 'base64')));
  assert.equal(bytes.length, 44 + 3 * 960);
});

await run('speech that breaks off', async () => {
  await assert.rejects(async () => {
    const got = await client.audio.speech.create({ ...speak, response_format: 'wav' }, told('cut=1'));
    await got.arrayBuffer();
  });
});

await run('speech refused', async () => {
  await assert.rejects(client.audio.speech.create({ ...speak, speed: 9 }), (err) => {
    assert.ok(err instanceof OpenAI.BadRequestError);
    assert.equal(err.param, 'speed');
    return true;
  });
});

await run('transcription', async () => {
  const got = await client.audio.transcriptions.create({ file: await sound(), model: 'chat/whisper-1' });
  assert.ok(got.text);
  assert.deepEqual(got.usage, { type: 'duration', seconds: 2 });
});

await run('transcription in every format', async () => {
  const ask = async (response_format) =>
    client.audio.transcriptions.create({ file: await sound(), model: 'chat/whisper-1', response_format });
  assert.match(await ask('srt'), /^1\n00:00:00,000 --> 00:00:02,000\n/);
  assert.match(await ask('vtt'), /^WEBVTT\n/);
  assert.match(await ask('text'), /mock/);
  assert.equal((await ask('verbose_json')).duration, 2);
});

await run('transcription as a stream', async () => {
  const stream = await client.audio.transcriptions.create({ file: await sound(), model: 'chat/listener', stream: true });
  let text = '';
  let last;
  for await (const event of stream) {
    text += event.delta ?? '';
    last = event;
  }
  assert.equal(last.type, 'transcript.text.done');
  assert.equal(last.text, text);
  assert.ok(last.usage.input_token_details.audio_tokens > 0);
});

await run('translation', async () => {
  const got = await client.audio.translations.create({ file: await sound('a.wav'), model: 'chat/whisper-1' });
  assert.ok(got.text);
});

await run('image', async () => {
  const got = await client.images.generate({ model: 'chat/painter', prompt: 'a cat', n: 2, output_format: 'jpeg' });
  assert.equal(got.data.length, 2);
  assert.equal(Buffer.from(got.data[0].b64_json, 'base64').readUInt16BE(), 0xffd8);
  assert.ok(got.usage.output_tokens > 0);
});

await run('image as a stream', async () => {
  const stream = await client.images.generate({ model: 'chat/painter', prompt: 'a cat', stream: true, partial_images: 1 });
  const kinds = [];
  for await (const event of stream) kinds.push(event.type);
  assert.deepEqual(kinds, ['image_generation.partial_image', 'image_generation.completed']);
});

await run('image edited', async () => {
  const image = [await dots('a.png'), await dots('b.png')];
  const got = await client.images.edit({ model: 'chat/painter', prompt: 'a dog', image, n: 2 });
  assert.equal(got.data.length, 2);
  assert.equal(got.usage.input_tokens_details.image_tokens, 130);
  const stream = await client.images.edit({ model: 'chat/painter', prompt: 'a dog', image: image[0], stream: true });
  const kinds = [];
  for await (const event of stream) kinds.push(event.type);
  assert.deepEqual(kinds, ['image_edit.completed']);
});

await run('moderation', async () => {
  const got = await client.moderations.create({ model: 'chat/judge', input: ['kind words', 'violence'] });
  assert.deepEqual(got.results.map((r) => r.flagged), [false, true]);
});

await run('files', async () => {
  const file = await client.files.create({ file: await toFile(Buffer.from('{"a":1}\n'), 'a.jsonl'), purpose: 'batch' });
  assert.equal(file.bytes, 8);
  assert.equal(await (await client.files.content(file.id)).text(), '{"a":1}\n');
  const ids = [];
  for await (const one of client.files.list()) ids.push(one.id);
  assert.ok(ids.includes(file.id));
  assert.ok((await client.files.delete(file.id)).deleted);
  await assert.rejects(client.files.retrieve(file.id), OpenAI.NotFoundError);
});

await run('uploads', async () => {
  const upload = await client.uploads.create({ filename: 'a.txt', bytes: 6, mime_type: 'text/plain', purpose: 'assistants' });
  const parts = [];
  for (const piece of ['abc', 'def']) {
    parts.push((await client.uploads.parts.create(upload.id, { data: await toFile(Buffer.from(piece), 'part') })).id);
  }
  const whole = await client.uploads.complete(upload.id, { part_ids: parts });
  assert.equal(whole.status, 'completed');
  assert.equal(await (await client.files.content(whole.file.id)).text(), 'abcdef');
});
