import assert from "node:assert/strict";
import { test } from "node:test";

import { page } from "./page.mjs";

const HOUR = 3600000;
const NO_UPDATE = { description: "no update" };

// The history page with its chart: what it asks the server, and the address that it writes.
function opened(search = "", devicePixelRatio = undefined) {
  const asked = [];
  const addresses = [];
  const pauses = []; // before what is done later, ms
  const entries = [];
  const clicked = [];
  const block = { dataset: {} };
  const place = { addEventListener() {}, clientWidth: 800, dataset: { config: "{}" }, on() {} };
  const element = { clientWidth: 800, closest: () => block, firstElementChild: place, scrollIntoView() {}, setAttribute() {} };
  const strip = { _fullLayout: { _size: { h: 40, l: 0, t: 0, w: 800 }, margin: { l: 0 } } }; // the overview
  const parts = { "overview-brush": { style: {} }, undo: {}, redo: {} };
  const location = { hash: "", href: "http://127.0.0.1/", search };
  const window = page(["view.js", "workbench.js", "chart.js"], {
    Plotly: { react: async () => {} },
    devicePixelRatio,
    ResizeObserver: class {
      observe() {}
    },
    dash_clientside: { no_update: NO_UPDATE, set_props: (id, props) => id === "selection" && asked.push(props.data) },
    document: {
      addEventListener: (kind, listener) => kind === "click" && clicked.push(listener),
      documentElement: { dataset: { later: "{}" } },
      getElementById: (id) => parts[id] || element,
      querySelector: () => strip,
      querySelectorAll: () => [],
      scripts: [],
    },
    history: {
      state: null,
      pushState(next, _title, search) {
        this.state = next;
        entries.push(search);
      },
    },
    location,
    riwayatReplaceAddress: (search) => addresses.push((location.search = search)),
    setTimeout(done, ms) {
      pauses.push(ms);
      return setTimeout(done, 0);
    },
  });
  window.riwayatWorkbench.script = async () => null;
  const tables = [];
  window.riwayatStatistics = { show: (table) => tables.push(table) };
  window.riwayatBrush = window.riwayatRail = { align() {}, fold() {}, paint() {}, show() {} };
  const { draw, mounted, wholeRange } = window.dash_clientside.riwayat_chart;
  const size = mounted();
  return {
    size,
    tables, // of statistics that were shown
    addresses,
    pauses,
    entries,
    asked,
    block,
    location,
    window,
    reset: () => wholeRange(1),
    // Which of Undo and Redo can be pressed.
    steps: () => [parts.undo.disabled, parts.redo.disabled].map((disabled) => !disabled),
    // Dash has made a new entry of the history: by a load, or by a link that was followed.
    enter(search, { byLink }) {
      Object.assign(location, { search });
      window.history.state = {};
      const target = { closest: (css) => (css.includes("#saved-lists a") ? { dataset: {} } : null) };
      if (byLink) clicked.forEach((listener) => listener({ target, defaultPrevented: true }));
    },
    // An answer to the question that had this number; the window in hours of 100.
    answer: (job, sequence, start = 0, end = 100, view = "trend", options = {}, more = {}) => {
      const series = view === "trend" ? [{ key: "EWR.temperature" }, { key: "Pos, 2.rainfall" }] : undefined;
      const meta = { end: end * HOUR, offset: 0, series, start: start * HOUR, whole: [0, 100 * HOUR] };
      return draw({ ...more, job, sequence, view, options, badge: `${job} ${start}`, links: [], figure: { data: [], layout: { meta, xaxis: {} } } });
    },
  };
}

const rest = () => new Promise((resolve) => setTimeout(resolve, 5));

test("the server is told how many of the screen's pixels each of the plot is wide", () => {
  const [width, ratio] = opened("", 2).size;
  assert.ok(width > 0);
  assert.equal(ratio, 2);
  assert.equal(opened().size[1], 1);
});

test("the address names the drawn window of the job in it, and no window when all is drawn", async () => {
  const { answer, addresses, location } = opened();
  location.search = "?job=a";
  await answer("a", 0, 10, 20);
  await answer("a", 1);
  await answer("b", 1, 10, 20);
  assert.deepEqual(addresses, ["?job=a&from=1970-01-01T10:00:00Z&to=1970-01-01T20:00:00Z", "?job=a"]);
});

test("a job that answers is asked again soon, then less often, and soon again after a gesture", async () => {
  const { answer, pauses, reset } = opened();
  const waiting = (sequence) => answer("a", sequence, 0, 100, "rain", {}, { waits: true });
  for (let number = 0; number < 7; number += 1) await waiting(0);
  reset();
  await waiting(1);
  const asked = pauses.filter((ms) => ms >= 250);
  assert.deepEqual(asked, [250, 375, 562.5, 843.75, 1265.625, 1898.4375, 2000, 250]);
});

test("an answer to a gesture before the latest is not drawn, nor are its statistics", async () => {
  const { answer, reset, tables } = opened();
  await answer("a", 0);
  reset();
  assert.equal(await answer("a", 0, 10, 20, "trend", {}, { statistics: "older" }), NO_UPDATE);
  assert.equal((await answer("a", 1, 0, 100, "trend", {}, { statistics: "newest" }))[0], "a 0");
  await rest();
  assert.deepEqual(tables, [undefined, "newest"]);
});

test("a gesture that another job's figure overtakes does not keep that job's later figures away", async () => {
  const { answer, asked, block, reset } = opened();
  await answer("a", 0);
  reset();
  await answer("b", 0);
  await rest();
  assert.deepEqual(asked, []);
  assert.equal(block.dataset.waiting, "");
  assert.equal((await answer("b", 0, 10, 20))[0], "b 10");
});

test("back to an entry of the same job asks for the window that it names", async () => {
  const { answer, asked, location, window } = opened();
  location.search = "?job=a";
  await answer("a", 0);
  for (const search of ["?job=a&from=1970-01-01T10:00:00Z&to=1970-01-01T20:00:00Z", "?job=a", "?job=b"]) {
    location.search = search;
    window.dispatchEvent(new Event("popstate"));
    await rest();
  }
  assert.deepEqual(
    asked.map(({ start, end, job, sequence }) => [start, end, job, sequence]),
    [
      [10 * HOUR, 20 * HOUR, "a", 1],
      [null, null, "a", 2],
    ],
  );
});

test("what the server refuses to draw is not waited for, and the next gesture starts from what is drawn", async () => {
  const { answer, asked, block, reset, window } = opened();
  await answer("a", 0, 10, 20);
  reset();
  await rest();
  assert.equal(block.dataset.waiting, "true");
  window.dispatchEvent(new Event("riwayat:refused"));
  assert.equal(block.dataset.waiting, "");
  assert.equal(block.dataset.zoomed, "true");
  assert.equal(asked.length, 1);
});

test("the first picture belongs to the entry that it came with, each further selection is an entry of its own", async () => {
  const { answer, entries, location, window } = opened();
  location.search = "?job=a";
  await answer("a", 0, 10, 20);
  assert.deepEqual(entries, []);
  await answer("a", 1, 10, 20, "wind", { by: "season", classes: "2,4" });
  assert.deepEqual(entries, ["?job=a&from=1970-01-01T10:00:00Z&to=1970-01-01T20:00:00Z&view=wind&by=season&classes=2,4"]);
  assert.equal(window.history.state.riwayatDepth, 1);
  await answer("a", 1, 10, 20, "wind", { by: "season", classes: "2,4" }); // more of it was loaded
  assert.equal(entries.length, 1);
  await answer("a", 2);
  assert.deepEqual(entries.slice(1), ["?job=a"]);
});

test("back to an entry of another view asks for that view and its options", async () => {
  const { answer, asked, location, window } = opened();
  location.search = "?job=a";
  await answer("a", 0);
  location.search = "?job=a&view=wind&by=season";
  window.dispatchEvent(new Event("popstate"));
  await rest();
  assert.deepEqual([asked[0].view, { ...asked[0].options }], ["wind", { by: "season" }]);
});

test("a door leads to Trend at its window, from another view as from Trend", async () => {
  const { answer, asked, location, window } = opened();
  location.search = "?job=a";
  await answer("a", 0, 0, 100, "calendar");
  window.riwayatWorkbench.open(10 * HOUR, 20 * HOUR);
  await rest();
  assert.deepEqual([asked[0].view, asked[0].start, asked[0].end], ["trend", 10 * HOUR, 20 * HOUR]);
  window.riwayatWorkbench.open(20 * HOUR, 10 * HOUR); // no window
  await rest();
  assert.equal(asked.length, 1);
  window.riwayatWorkbench.open(90 * HOUR, 130 * HOUR); // only its part that was loaded
  await rest();
  assert.deepEqual([asked[1].start, asked[1].end], [90 * HOUR, 100 * HOUR]);
});

test("what is hidden is part of the selection: in the address, kept in other windows, and undone by Back", async () => {
  const { answer, entries, location, window } = opened();
  const { chart, hide } = window.riwayatChart;
  location.search = "?job=a";
  await answer("a", 0);
  await hide(["Pos, 2.rainfall", "GONE.humidity"]); // a series that is not drawn is none of this selection
  assert.deepEqual(entries, ["?job=a&hidden=Pos,+2.rainfall"]);
  await answer("a", 1, 10, 20);
  assert.match(entries[1], /&to=1970-01-01T20:00:00Z&hidden=Pos,\+2.rainfall$/);
  await answer("a", 2, 10, 20, "wind");
  assert.doesNotMatch(entries[2], /hidden/); // of Trend alone
  await answer("a", 3);
  assert.equal(entries[3], entries[0]);
  location.search = "?job=a";
  window.dispatchEvent(new Event("popstate"));
  assert.deepEqual([...chart.hidden], []);
});

test("what an address hides is hidden in the first picture", async () => {
  const { answer, window } = opened("?job=a&hidden=EWR.temperature&hidden=JFK.rainfall");
  const { chart } = window.riwayatChart;
  await answer("a", 0);
  assert.deepEqual([...chart.hidden], ["EWR.temperature", "JFK.rainfall"]);
});

test("an answer whose scripts come after the next gesture is not drawn", async () => {
  const { answer, reset, window } = opened("?job=a");
  await answer("a", 0);
  let come = null;
  window.riwayatWorkbench.scripts = () => new Promise((resolve) => (come = resolve));
  const table = answer("a", 0, 0, 100, "table", {}, { table: { grid: "grid", scripts: ["table.js"] } });
  reset();
  come();
  assert.equal(await table, NO_UPDATE);
});

test("Undo and Redo begin anew with an entry that a load or a link made", async () => {
  const { answer, asked, enter, steps } = opened("?job=a");
  await answer("a", 0);
  await answer("a", 1, 10, 20);
  assert.deepEqual(steps(), [true, false]);
  enter("?job=b", { byLink: false });
  await answer("b", 1, 10, 20); // the address gets its window
  assert.deepEqual(steps(), [false, false]);
  await answer("b", 1, 30, 40);
  enter("?job=b", { byLink: true });
  assert.deepEqual(steps(), [false, false]);
  await rest();
  assert.deepEqual([asked[0].job, asked[0].start, asked[0].end], ["b", null, null]); // what the link names
});

test("an address that arrives says what is hidden, after a load what was hidden stays so", async () => {
  const { answer, enter, location, window } = opened("?job=a");
  const { chart, hide } = window.riwayatChart;
  const hidden = () => [...chart.hidden];
  await answer("a", 0);
  await hide(["EWR.temperature"]);
  enter("?job=b", { byLink: false });
  await answer("b", 0);
  assert.deepEqual(hidden(), ["EWR.temperature"]);
  enter("?job=c", { byLink: true });
  await answer("b", 0); // more of it was loaded
  assert.deepEqual(hidden(), ["EWR.temperature"]);
  await answer("c", 0);
  assert.deepEqual(hidden(), []);
  location.search = "?job=a&hidden=EWR.temperature";
  window.dispatchEvent(new Event("popstate"));
  await answer("a", 0);
  assert.deepEqual(hidden(), ["EWR.temperature"]);
  enter("?saved=1", { byLink: true });
  location.search = "?job=a&saved=1&hidden=Pos,+2.rainfall"; // the server found the same job
  await answer("a", 0, 10, 20);
  assert.deepEqual(hidden(), ["Pos, 2.rainfall"]);
});
