// Keeps files and cached contents by Google's own client for Node.js, and tries them with the key of
// another workspace. Prints one JSON line per case: {"name", "error"?}.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GoogleGenAI, createPartFromUri } from '@google/genai';

const { AISTRALE_URL: url, AISTRALE_KEY: key, AISTRALE_NARROW_KEY: otherKey } = process.env;
const connect = (apiKey) => new GoogleGenAI({ apiKey, httpOptions: { baseUrl: `${url}/gemini` } });
const client = connect(key);
const other = connect(otherKey);
const model = 'mock/gemini';

async function run(name, work) {
  try {
    await work();
    console.log(JSON.stringify({ name }));
  } catch (err) {
    console.log(JSON.stringify({ name, error: String(err?.stack ?? err) }));
  }
}

const missing = (work) => assert.rejects(work, (err) => err.status === 404);
const all = async (pager) => {
  const names = [];
  for await (const one of pager) names.push(one.name);
  return names;
};

const bytes = Buffer.alloc(9 << 20, 'ab'); // two pieces
let file;

await run('a file goes up in pieces', async () => {
  file = await client.files.upload({ file: new Blob([bytes], { type: 'text/plain' }), config: { displayName: 'mine' } });
  assert.equal(file.sizeBytes, String(bytes.length));
  assert.match(file.name, /^files\//);
  assert.equal(file.displayName, 'mine');
});
await run('a file is shown, listed and used', async () => {
  assert.equal((await client.files.get({ name: file.name })).uri, file.uri);
  assert.deepEqual(await all(await client.files.list({ config: { pageSize: 5 } })), [file.name]);
  const got = await client.models.generateContent({ model, contents: [createPartFromUri(file.uri, 'text/plain'), 'What is this?'] });
  assert.ok(got.text);
});
await run('a file comes down', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'genai-'));
  try {
    await client.files.download({ file: file.name, downloadPath: join(folder, 'x') });
    assert.ok(bytes.equals(await readFile(join(folder, 'x'))));
  } finally {
    await rm(folder, { recursive: true });
  }
});
await run('a file is not there for another workspace', async () => {
  await missing(() => other.files.get({ name: file.name }));
  await missing(() => other.files.delete({ name: file.name }));
  await missing(() => other.models.generateContent({ model, contents: [createPartFromUri(file.uri, 'text/plain'), 'What is this?'] }));
  assert.deepEqual(await all(await other.files.list()), []);
});
await run('a cache is made, kept for longer, used and listed', async () => {
  const cache = await client.caches.create({ model, config: { contents: 'A long text.', ttl: '600s', displayName: 'c' } });
  assert.equal(cache.model, 'models/gemini');
  const longer = await client.caches.update({ name: cache.name, config: { ttl: '7200s' } });
  assert.ok(longer.expireTime > cache.expireTime);
  assert.equal((await client.caches.get({ name: cache.name })).name, cache.name);
  assert.deepEqual(await all(await client.caches.list()), [cache.name]);
  const got = await client.models.generateContent({ model, contents: 'And now?', config: { cachedContent: cache.name } });
  assert.ok(got.text);
  await missing(() => other.caches.get({ name: cache.name }));
  await missing(() => other.models.generateContent({ model, contents: 'And now?', config: { cachedContent: cache.name } }));
  assert.deepEqual(await all(await other.caches.list()), []);
  await client.caches.delete({ name: cache.name });
  await missing(() => client.caches.get({ name: cache.name }));
});
await run('a file is deleted', async () => {
  await client.files.delete({ name: file.name });
  await missing(() => client.files.get({ name: file.name }));
});
