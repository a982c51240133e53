import assert from "node:assert/strict";
import { test } from "node:test";

import { page } from "./page.mjs";

const ADDRESS = "/_dash-update-component";
const question = (output) => ({ method: "POST", body: JSON.stringify({ output }) });

// A page whose server gives these answers, one after the other; a pause ends at once.
function asking(answers) {
  const asked = [];
  const line = {
    dataset: { busy: "busy", broken: "broken", refused: "refused", unreachable: "unreachable" },
    firstElementChild: { textContent: "" },
    lastElementChild: { hidden: true },
    hidden: true,
  };
  const said = [];
  const waits = [];
  const window = page(["questions.js"], {
    document: { addEventListener() {}, getElementById: () => (said.push(line.firstElementChild.textContent), line) },
    fetch: async (resource, options) => {
      asked.push(options);
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return typeof answer === "function" ? answer(options) : answer;
    },
    setTimeout: (done, ms) => (ms === 20000 ? 0 : (waits.push(ms), setTimeout(done, 0))),
  });
  return { ask: (output) => window.fetch(ADDRESS, question(output)), window, asked, said, line, waits };
}

test("an answer goes on as it came", async () => {
  const { ask, line } = asking([new Response("{}", { status: 200 })]);
  const answer = await ask("chart-answer.data");
  assert.equal(await answer.text(), "{}");
  assert.equal(line.hidden, true);
});

for (const [failure, words] of [
  [new Response("", { status: 500 }), "broken"],
  [new Response("", { status: 429, headers: { "Retry-After": "0" } }), "busy"],
  [new TypeError("no network"), "unreachable"],
]) {
  test(`a question that fails (${words}) is said and asked again until it is answered`, async () => {
    const { ask, asked, said, line } = asking([failure, failure instanceof Error ? failure : failure.clone(), new Response("1")]);
    assert.equal(await (await ask("chart-answer.data")).text(), "1");
    assert.equal(asked.length, 3);
    assert.ok(said.includes(words));
    assert.equal(line.hidden, true);
  });
}

test("the pauses before a question is asked again double, up to half a minute and a quarter more", async () => {
  const { ask, waits } = asking([...Array.from({ length: 8 }, () => new Response("", { status: 500 })), new Response("1")]);
  await ask("chart-answer.data");
  assert.equal(waits.length, 8);
  waits.forEach((wait, number) => {
    const least = Math.min(1000 * 2 ** number, 30000);
    assert.ok(wait >= least && wait <= 1.25 * least, `pause ${number}: ${wait} ms`);
  });
});

test("a refusal is not asked again", async () => {
  const { ask, asked, line, window } = asking([new Response("", { status: 400 })]);
  let refused = 0;
  window.addEventListener("riwayat:refused", () => (refused += 1));
  assert.equal((await ask("chart-answer.data")).status, 400);
  assert.equal(refused, 1);
  assert.equal(asked.length, 1);
  assert.equal(line.hidden, false);
});

test("a newer question ends the older one, of which nothing changes", async () => {
  const never = (options) => new Promise((_resolve, reject) => options.signal.addEventListener("abort", () => reject(new Error("aborted"))));
  const { ask } = asking([never, new Response("new")]);
  const older = ask("chart-answer.data");
  const newer = ask("chart-answer.data");
  assert.equal((await older).status, 204);
  assert.equal(await (await newer).text(), "new");
});

test("questions of others are not touched", async () => {
  const { ask, asked } = asking([new Response("", { status: 500 })]);
  assert.equal((await ask("alert.children")).status, 500);
  assert.equal(asked[0].signal, undefined);
});

for (const output of ["..job-state.data...alert.children..", "..job-id.data...station.value.."]) {
  test(`what a link leads to is asked until it is answered (${output})`, async () => {
    const { ask, asked } = asking([new Response("", { status: 500 }), new Response("1")]);
    assert.equal(await (await ask(output)).text(), "1");
    assert.equal(asked.length, 2);
  });
}

test("a load, which would be two, is asked for once", async () => {
  const { ask, asked } = asking([new Response("", { status: 500 })]);
  assert.equal((await ask("..job-id.data@a593...url.search..")).status, 500);
  assert.equal(asked.length, 1);
});
