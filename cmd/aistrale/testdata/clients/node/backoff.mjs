// Calls a gateway whose rate is too low for it, with OpenAI's own client for Node.js as it comes.
// Prints one JSON line: {"answered", "refused", "error"?}.
import OpenAI from 'openai';

const { AISTRALE_URL: url, AISTRALE_KEY: apiKey, AISTRALE_CALLS: calls } = process.env;
let answered = 0;
let refused = 0;
const counting = async (...args) => {
  const response = await fetch(...args);
  if (response.status === 429) refused++;
  return response;
};
const client = new OpenAI({ apiKey, baseURL: `${url}/v1`, fetch: counting });
let error;
try {
  for (let i = 0; i < Number(calls); i++) {
    await client.chat.completions.create({ model: 'mock/gpt', messages: [{ role: 'user', content: 'Say hello.' }] });
    answered++;
  }
} catch (err) {
  error = String(err);
}
console.log(JSON.stringify({ answered, refused, error }));
