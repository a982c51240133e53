import assert from "node:assert/strict";
import { test } from "node:test";

import { page } from "./page.mjs";

const HOUR = 3600000;
const WHOLE = [0, 100 * HOUR];
const { Chart, axisTime, LEAST_MS } = page(["view.js"]).riwayatView;

function chart(meta = { whole: WHOLE, start: WHOLE[0], end: WHOLE[1], offset: 0 }) {
  const made = new Chart({}, { plotly: "/plotly.js", config: {}, changed() {}, ask() {} });
  made.meta = meta;
  return made;
}

// What is wanted after something was done, in hours.
function wanted(made) {
  clearTimeout(made.timer);
  return made.window && [made.window.start / HOUR, made.window.end / HOUR];
}

for (const [text, expected] of [
  ["2013-07-01", Date.UTC(2013, 6, 1)],
  ["2013-07-01 12:30", Date.UTC(2013, 6, 1, 12, 30)],
  ["2013-07-01T12:30:15.5", Date.UTC(2013, 6, 1, 12, 30, 15, 500)],
  ["2013-07", Date.UTC(2013, 6, 1)],
  ["0099-01-01", new Date(Date.UTC(2000, 0, 1)).setUTCFullYear(99)],
  [1234.6, 1235],
]) {
  test(`${text} on the axis is its time in UTC, less the offset of the zone`, () => {
    assert.equal(axisTime(text, 0), expected);
    assert.equal(axisTime(text, 7 * HOUR), expected - 7 * HOUR);
  });
}

for (const [what, start, end, expected] of [
  ["inside", 10, 20, [10, 20]],
  ["beyond the end: moved back, as long as before", 95, 105, [90, 100]],
  ["before the start", -5, 5, [0, 10]],
  ["longer than everything: everything", -50, 200, null],
  ["everything", 0, 100, null],
]) {
  test(`a wanted window ${what}`, () => {
    const made = chart();
    made.want({ start: start * HOUR, end: end * HOUR });
    assert.deepEqual(wanted(made), expected);
  });
}

test("a window is never narrower than a second", () => {
  const made = chart();
  made.want({ start: 5 * HOUR, end: 5 * HOUR });
  clearTimeout(made.timer);
  assert.equal(made.window.end - made.window.start, LEAST_MS);
});

test("zooming in and out again by keys returns to the window from which it began", () => {
  const made = chart();
  made.want({ start: 40 * HOUR, end: 60 * HOUR });
  made.zoom(0.5);
  assert.deepEqual(wanted(made), [45, 55]);
  made.zoom(2);
  assert.deepEqual(wanted(made), [40, 60]);
});

test("zooming in and out twice, and out of the whole, is noticed each time", () => {
  const made = chart();
  for (let round = 0; round < 2; round += 1) {
    made.want({ start: 10 * HOUR, end: 20 * HOUR });
    assert.deepEqual(wanted(made), [10, 20]);
    made.want(null);
    assert.equal(wanted(made), null);
  }
});

test("a pan at the edge keeps the length of the window", () => {
  const made = chart();
  made.want({ start: 90 * HOUR, end: 100 * HOUR });
  made.pan(1);
  assert.deepEqual(wanted(made), [90, 100]);
  made.pan(-0.2);
  assert.deepEqual(wanted(made), [88, 98]);
});

for (const [key, expected] of [
  ["ArrowRight", [42, 52]],
  ["ArrowLeft", [38, 48]],
  ["+", [42.5, 47.5]],
  ["-", [35, 55]],
  ["0", null],
]) {
  test(`the key ${key} moves the window`, () => {
    const made = chart();
    made.want({ start: 40 * HOUR, end: 50 * HOUR });
    assert.equal(made.key({ key, preventDefault() {} }), true);
    assert.deepEqual(wanted(made), expected);
  });
}

for (const [what, deltaY, clientX, expected] of [
  ["in at a quarter of the plot", -240, 150, [42.5, 47.5].map((hour) => hour - 1.25)],
  ["out at its left edge", 240, 100, [40, 60]],
  ["in left of it, as at its edge", -240, 20, [40, 45]],
]) {
  test(`Ctrl and the wheel zoom ${what}`, () => {
    const made = chart();
    made.place = { _fullLayout: { _size: { l: 90, w: 200 } }, getBoundingClientRect: () => ({ left: 10 }) };
    made.want({ start: 40 * HOUR, end: 50 * HOUR });
    let taken = 0;
    made.wheel({ ctrlKey: true, deltaMode: 0, deltaY, clientX, preventDefault: () => (taken += 1) });
    assert.deepEqual([wanted(made), taken], [expected, 1]);
  });
}

test("the wheel alone, and over a picture without a time axis, is left to the page", () => {
  const made = chart();
  made.place = { _fullLayout: { _size: { l: 90, w: 200 } } };
  made.want({ start: 40 * HOUR, end: 50 * HOUR });
  const event = { deltaMode: 0, deltaY: 100, clientX: 150, preventDefault: () => assert.fail("taken") };
  made.wheel({ ...event, ctrlKey: false });
  made.meta.still = true;
  made.wheel({ ...event, ctrlKey: true });
  assert.deepEqual(wanted(made), [40, 50]);
});

test("keys of the browser and of other programs are left alone", () => {
  const made = chart();
  for (const event of [{ key: "0", ctrlKey: true }, { key: "ArrowLeft", altKey: true }, { key: "q" }]) {
    assert.equal(made.key({ preventDefault: () => assert.fail("taken"), ...event }), false);
  }
});

test("what a gesture moved on the axis is put back to what is drawn, and asked for", () => {
  const moved = [];
  const made = chart({ whole: WHOLE, start: 10 * HOUR, end: 30 * HOUR, offset: 7 * HOUR });
  const window = page(["view.js"], { Plotly: { relayout: (_place, change) => moved.push(change) } });
  Object.setPrototypeOf(made, window.riwayatView.Chart.prototype);
  made.relayout({ "xaxis.range[0]": 22 * HOUR, "xaxis.range[1]": 27 * HOUR });
  assert.deepEqual(wanted(made), [15, 20]);
  assert.equal(JSON.stringify(moved), JSON.stringify([{ "xaxis.range": [17 * HOUR, 37 * HOUR], "xaxis.autorange": false }]));
});

test("a figure waits for the end of a gesture, and for what the gesture wants", async () => {
  const order = [];
  const made = chart();
  made.hold();
  const waited = made.rest().then(() => order.push("figure"));
  await new Promise((resolve) => setTimeout(resolve, 5));
  made.release();
  order.push("gesture");
  await waited;
  await made.rest(); // nothing is held
  assert.deepEqual(order, ["gesture", "figure"]);
});

// A chart on the page, or with Plotly's own legend, and the figure that it drew last.
function drawing(railed) {
  const place = { addEventListener() {}, on() {} };
  const Plotly = { react: async (_place, data, layout) => Object.assign(place, { data, layout }) };
  const { Chart: Drawn } = page(["view.js"], { Plotly }).riwayatView;
  const made = new Drawn(place, { plotly: "/plotly.js", config: {}, changed() {}, ask() {} });
  const meta = railed ? { series: [] } : {};
  const figure = () => ({ data: [{ legendgroup: "a" }, { legendgroup: "b" }], layout: { meta } });
  return { made, place, figure, shown: () => place.data.map(({ visible }) => visible) };
}

test("a hidden series stays hidden in figures to come, and is shown again", async () => {
  const { made, figure, shown } = drawing(true);
  await made.show(figure());
  await made.hide(["b", "c"]);
  assert.deepEqual(shown(), [undefined, "legendonly"]);
  await made.show(figure()); // of another window
  assert.deepEqual(shown(), [undefined, "legendonly"]);
  await made.hide(["c"]);
  assert.deepEqual(shown(), [undefined, undefined]);
});

test("what was hidden by a press on Plotly's legend stays hidden, and is shown where that was pressed again", async () => {
  const { made, place, figure, shown } = drawing(false);
  await made.show(figure());
  place.data[0].visible = "legendonly";
  await made.show(figure());
  assert.deepEqual(shown(), ["legendonly", undefined]);
  place.data[0].visible = true;
  await made.show(figure());
  assert.deepEqual(shown(), [undefined, undefined]);
});

test("a script that does not come is asked for until it comes, once for all who wait", async () => {
  const asked = [];
  const listeners = {};
  const document = {
    addEventListener() {},
    createElement: () => ({ addEventListener: (kind, listener) => (listeners[kind] = listener), remove() {} }),
    head: { append: ({ src }) => asked.push(src) },
    scripts: [],
  };
  const waits = [];
  const { scriptReady } = page(["view.js"], { document, setTimeout: (then, ms) => waits.push([then, ms]) }).riwayatView;
  const rest = () => new Promise((resolve) => setTimeout(resolve, 1));
  const ready = [];
  for (const who of ["one", "other"]) scriptReady("/later.js").then(() => ready.push(who));
  listeners.error();
  await rest();
  const [[again, ms]] = waits;
  assert.ok(ms >= 1000); // a server that is away is not pressed
  again();
  await rest();
  listeners.load();
  await rest();
  assert.deepEqual(ready, ["one", "other"]);
  assert.deepEqual(asked, Array(2).fill("http://127.0.0.1/later.js"));
});
