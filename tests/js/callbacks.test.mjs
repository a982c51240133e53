import assert from "node:assert/strict";
import { test } from "node:test";

import { page } from "./page.mjs";

const NO_UPDATE = { description: "no update" };

// A page with the scripts that answer callbacks in the browser.
function loaded() {
  const visited = [];
  const told = [];
  const window = page(["admin.js", "embedding.js", "grid.js", "page.js"], {
    MutationObserver: class {
      observe() {}
    },
    dash_clientside: { no_update: NO_UPDATE, set_props: (id, props) => told.push([id, props.search]) },
    document: { addEventListener() {}, getElementById: () => null, documentElement: { dataset: {} } },
    fetch: () => null,
    history: { state: null, replaceState: (_state, _title, address) => visited.push(address) },
    matchMedia: () => ({ addEventListener() {} }),
    setInterval() {},
  });
  return { ...window.dash_clientside, grid: window.dashAgGridFunctions, visited, told };
}

test("only a version that the page has not drawn passes", () => {
  assert.deepEqual([...loaded().page.newBeat({ version: 7, note: null }, 7)], [NO_UPDATE, NO_UPDATE]);
  assert.deepEqual([...loaded().page.newBeat({ version: 8, note: null }, 7)], [8, NO_UPDATE]);
});

test("a note is set once however many polls repeat it, and taken away", () => {
  const { page } = loaded();
  const note = { props: { children: "No worker is running." } };
  const beat = { version: 7, note };
  assert.deepEqual([...page.newBeat(beat, 7)], [NO_UPDATE, note]);
  assert.deepEqual([...page.newBeat({ version: 7, note: { ...note } }, 7)], [NO_UPDATE, NO_UPDATE]);
  assert.deepEqual([...page.newBeat({ version: 7, note: null }, 7)], [NO_UPDATE, null]);
});

test("the address gets the query of a link's own job without a new entry", () => {
  const { page: callbacks, visited, told } = loaded();
  callbacks.address("job=a%26b");
  callbacks.address(null);
  assert.deepEqual(visited, ["?job=a%26b"]);
  assert.deepEqual(told, [["url", "?job=a%26b"]]); // or the next load would bring back the address before it
});

test("only what leads elsewhere is asked about, and the star is full where a saved view is named", () => {
  const { page: callbacks } = loaded();
  assert.deepEqual([...callbacks.link("?job=a&saved=1", "a")], [NO_UPDATE, "★"]);
  assert.deepEqual([...callbacks.link("?job=b", "a")], ["?job=b", "☆"]);
  assert.deepEqual([...callbacks.link("", null)], ["", "☆"]);
});

for (const [kind, closed, list] of [
  ["everyone", true, "admin-known-users"],
  ["group", false, "admin-known-groups"],
  ["user", false, "admin-known-users"],
]) {
  test(`the field of whom a grant to ${kind} is for`, () => {
    assert.deepEqual([...loaded().admin.subjectField(kind)], [closed, list]);
  });
}

test("only a rolling range has a length", () => {
  assert.equal(loaded().embedding.isFixed("fixed"), true);
  assert.equal(loaded().embedding.isFixed("rolling"), false);
});

test("a column that sorts by one field shows the text of another", () => {
  const { grid } = loaded();
  assert.equal(grid.shownText({ data: { created: "1 Jan", created_order: 7 }, colDef: { field: "created_order" } }), "1 Jan");
  assert.equal(grid.shownText({ colDef: { field: "created_order" } }), "");
});

test("a refused entry of the log is marked, a row that is still empty is not", () => {
  const { grid } = loaded();
  assert.equal(grid.isRefused({ data: { refused: true } }), true);
  assert.equal(grid.isRefused({}), false);
});
