import assert from "node:assert/strict";
import { test } from "node:test";

import { page } from "./page.mjs";

// The page in another language, which takes over what a tab has kept; `typed` is what a field holds that Dash does not know yet.
function opened(kept, { search = "", typed = {}, estimate = "About 10 rows" } = {}) {
  const set = {};
  const waiting = [];
  const storage = new Map(kept ? [["riwayat.kept", kept]] : []);
  const known = { station: { value: ["EWR"] }, sensor: { value: ["temperature"] }, "range-start": { value: "2013-01-01" }, "job-id": {} };
  const fields = Object.fromEntries(Object.entries(typed).map(([id, value]) => [id, { tagName: "INPUT", type: "text", value }]));
  const window = page(["keep.js"], {
    dash_clientside: { set_props: (id, props) => (set[id] = props) },
    dash_component_api: { getLayout: (id) => known[id] && { props: known[id] } },
    document: { getElementById: (id) => fields[id] || (id === "estimate" ? { textContent: estimate } : null) },
    history: { replaceState() {}, state: null },
    location: { pathname: "/", search },
    sessionStorage: { getItem: (name) => storage.get(name) ?? null, removeItem: (name) => storage.delete(name), setItem: (name, text) => storage.set(name, text) },
    setInterval: (look) => void waiting.push(look),
    clearInterval() {},
  });
  waiting.forEach((look) => look());
  return { set, storage, window };
}

test("what stands in the form comes along to another language, also what is still being written", () => {
  const before = opened(null, { typed: { "range-start": "2013-06-0" } });
  before.window.riwayatKeep();
  const { set, storage } = opened(before.storage.get("riwayat.kept"));
  const written = ["range-start", "station", "sensor"].map((id) => JSON.stringify(set[id]));
  assert.deepEqual(written, ['{"value":"2013-06-0"}', '{"value":["EWR"]}', '{"value":["temperature"]}']);
  assert.equal(storage.size, 0); // for that moment alone
});

test("what was kept on another job's page is left", () => {
  const before = opened(null, { search: "?job=a" });
  before.window.riwayatKeep();
  assert.deepEqual(opened(before.storage.get("riwayat.kept"), { search: "?job=b" }).set, {});
});
