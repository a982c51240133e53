import assert from "node:assert/strict";
import { test } from "node:test";

import { page } from "./page.mjs";

const rest = () => new Promise((resolve) => setTimeout(resolve, 5));

// The script of the table with a grid, which is ready when `ready` says so.
function table(ready = () => true) {
  const heard = [];
  let looks = 0;
  const grid = {
    addEventListener: (name) => heard.push(name),
    applyColumnState() {},
    getDisplayedRowCount: () => 0,
    getGridOption: () => ready(),
    isDestroyed: () => (looks += 1) < 0,
    setGridOption() {},
  };
  const window = page(["table.js"], {
    dash_ag_grid: { getApiAsync: async () => grid },
    setTimeout: (done) => setTimeout(done, 0),
  });
  const show = (where) => window.riwayatTable.show(where === null ? null : { byValue: true, columns: [], grid: "g", options: { where }, rows: "/rows", words: {} });
  return { heard, looks: () => looks, show };
}

test("a grid that shows one filter after the other is listened to once", async () => {
  const { heard, show } = table();
  for (const where of ["temperature > 1", "temperature > 2", "temperature > 3"]) {
    show(where);
    await rest();
  }
  assert.deepEqual(heard, ["sortChanged", "selectionChanged"]);
});

test("nobody waits for the grid of a table that is gone", async () => {
  let ready = false;
  const { looks, show } = table(() => ready);
  show("temperature > 1");
  await rest();
  show(null);
  await rest();
  const before = looks();
  await rest();
  const after = looks();
  ready = true;
  assert.ok(before > 0);
  assert.equal(after, before);
});
