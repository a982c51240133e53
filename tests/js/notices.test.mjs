import assert from "node:assert/strict";
import { test } from "node:test";

import { page } from "./page.mjs";

const notice = (sentence) => ({ props: { children: [{ props: { children: sentence } }] } });

function repeats(words, shown) {
  const root = { dataset: {} };
  const window = page(["page.js"], {
    document: { addEventListener() {}, documentElement: root },
    fetch: () => null,
    matchMedia: () => ({ addEventListener() {} }),
    setInterval() {},
  });
  return window.dash_clientside.page.repeats(words, shown);
}

test("the form does not repeat what the notice over the chart says", () => {
  assert.equal(repeats("EWR has no data.", notice("EWR has no data.")), true);
  assert.equal(repeats("731 rows · no data in this range: b", notice("No data in this range: b.")), true);
});

test("the form says what the notice does not", () => {
  assert.equal(repeats("From must be before To.", notice("EWR has no data.")), false);
  assert.equal(repeats("731 rows", null), false);
  assert.equal(repeats(undefined, notice("EWR has no data.")), false);
});

const WORDS = { offline: "gone", busy: "busy", broken: "broken", unreachable: "gone" };

// What a page says by the fifth failure of a callback's question, from a server that is well
// otherwise.
function failing(output, failure) {
  const line = () => ({ dataset: WORDS, firstElementChild: {}, lastElementChild: {}, hidden: true });
  const parts = { offline: line(), "chart-trouble": line(), "sign-in-again": {} };
  const offline = [];
  Object.defineProperty(parts.offline, "hidden", {
    get: () => offline.at(-1) ?? true,
    set(hidden) {
      offline.push(hidden);
    },
  });
  const ask = () => window.fetch("/_dash-update-component", { method: "POST", body: JSON.stringify({ output }) }).catch(() => null);
  let asked = 0;
  let told;
  const window = page(["page.js", "questions.js"], {
    dash_clientside: { set_props: (id) => id === "job-id" && ask() },
    document: { addEventListener() {}, documentElement: { dataset: {} }, getElementById: (id) => parts[id] || null },
    fetch: async (resource) => {
      if (!resource.includes("_dash")) return new Response("");
      asked += 1;
      if (asked === 5) told({ offline: [...offline], trouble: !parts["chart-trouble"].hidden });
      if (asked >= 5) return new Response("");
      if (failure instanceof Error) throw failure;
      return failure.clone();
    },
    location: { pathname: "/", search: "" },
    matchMedia: () => ({ addEventListener() {} }),
    setInterval() {},
    setTimeout: (done, ms) => (ms === 20000 ? 0 : setTimeout(done, 0)),
  });
  window.dash_clientside.page.attach("job");
  ask();
  return new Promise((resolve) => (told = resolve));
}

for (const failure of [new Response("", { status: 503 }), new TypeError("no network")]) {
  test(`while the chart is not drawn (${failure.status || failure.message}), only the line over it says so`, async () => {
    assert.deepEqual(await failing("chart-answer.data", failure), { offline: [], trouble: true });
  });

  test(`while another question fails (${failure.status || failure.message}), the page says so and does not take it back`, async () => {
    const { offline, trouble } = await failing("anything.data", failure);
    assert.equal(trouble, false);
    assert.ok(offline.length > 0);
    assert.ok(offline.every((hidden) => !hidden));
  });
}

// What the page says after each answer to a press of Load, and after one to something else.
async function pressing(...answers) {
  const line = { dataset: { undone: "undone" }, firstElementChild: {}, hidden: true };
  const said = [];
  const window = page(["page.js"], {
    dash_clientside: { set_props() {} },
    document: {
      addEventListener() {},
      documentElement: { dataset: {} },
      getElementById: (id) => ({ offline: line, "sign-in-again": {} })[id] || null,
    },
    fetch: async (resource) => {
      const answer = resource.includes("_dash") ? answers.shift() : new Response("");
      if (answer instanceof Error) throw answer;
      return answer;
    },
    matchMedia: () => ({ addEventListener() {} }),
    setInterval() {},
    setTimeout: (done) => setTimeout(done, 0),
  });
  for (const changed of ["load.n_clicks", "station.value", "load.n_clicks"]) {
    const body = JSON.stringify({ changedPropIds: [changed] });
    await window.fetch("/_dash-update-component", { method: "POST", body }).catch(() => null);
    await new Promise((resolve) => setTimeout(resolve, 10));
    said.push(line.hidden ? "" : line.firstElementChild.textContent);
  }
  return said;
}

for (const failure of [new Response("", { status: 429 }), new Response("", { status: 500 }), new TypeError("no network")]) {
  test(`a press that nothing came of (${failure.status || failure.message}) is said until another succeeds`, async () => {
    assert.deepEqual(await pressing(failure, new Response(""), new Response("")), ["undone", "undone", ""]);
  });
}

test("what fails without a press asks nobody to press again", async () => {
  assert.deepEqual(await pressing(new Response(""), new Response("", { status: 500 }), new Response("")), ["", "", ""]);
});
