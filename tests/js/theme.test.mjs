import assert from "node:assert/strict";
import { test } from "node:test";

import { page } from "./page.mjs";

// Whether a page of such an address has no list of stations at first.
function linked(search) {
  const root = { dataset: { prefix: "/" }, setAttribute() {}, toggleAttribute: (name, on) => (root[name] = on) };
  page(["theme.js"], { document: { cookie: "", documentElement: root }, location: { protocol: "http:", search } });
  return root["data-linked"];
}

test("a link to a job or a saved view shows no list of stations before it is known what it leads to", () => {
  assert.deepEqual(["?job=a", "?view=wind&job=a", "?saved=3"].map(linked), [true, true, true]);
  assert.deepEqual(["", "?station=EWR", "?station=job=a"].map(linked), [false, false, false]);
});
