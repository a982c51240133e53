import assert from "node:assert/strict";
import { test } from "node:test";

import { Element, page } from "./page.mjs";

const HOUR = 3600000;
const WIDTH = 1000; // px of the plot, one each 6 minutes of 100 hours
const OFFSET = 7 * HOUR;

// Trend with a reading of 0, 1, 2 … each hour from the start of the job on.
// `many` are values of stations besides, of too many to be told apart.
function opened({ bucket = "raw", many = [], setTimeout: later = setTimeout } = {}) {
  const asked = [];
  const wanted = [];
  const heard = {};
  const lit = [];
  const places = Object.fromEntries(["chart", "chart-frame", "readout"].map((id) => [id, new Element(id)]));
  Object.assign(places.readout.dataset, { clear: "Clear", months: JSON.stringify(["Jan"]), units: '["d","h","min","s"]', closer: "Zoom" });
  const place = new Element("plot");
  Object.assign(place, { getBoundingClientRect: () => ({ left: 0, top: 0 }), on() {} });
  place._fullLayout = { _size: { h: 100, l: 0, t: 0, w: WIDTH }, yaxis: { _offset: 0, d2p: (value) => 100 - value } };
  place.layout = { xaxis: { hoverformat: "%-d %b %H:%M" } };
  const series = { aggregation: "mean", bucket, decimals: 0, exact: true, key: "EWR.temperature", unit: "°C" };
  const chart = { config: { locale: "en" }, hidden: new Set(), place, want: (span) => wanted.push(span) };
  const draw = (start, end, offset = OFFSET, revision = "job", value = (hour) => hour, before = 0) => {
    const hours = Array.from({ length: 101 }, (_one, hour) => hour).filter((hour) => hour >= start - before && hour <= end);
    const x = hours.map((hour) => hour * HOUR + offset);
    const trace = { legendgroup: series.key, line: { color: "#111111" }, mode: "lines", type: "scatter", x, y: hours.map(value) };
    const others = many.map((level) => ({ ...trace, legendgroup: `s${level}.temperature`, showlegend: false, y: hours.map(() => level) }));
    const besides = many.map((level) => ({ ...series, key: `s${level}.temperature`, many: true }));
    const meta = { end: end * HOUR, offset, revision, series: [series, ...besides], start: start * HOUR };
    Object.assign(chart, { figure: { data: [trace, ...others], layout: { meta } }, meta });
  };
  draw(0, 100);
  const listen = (kind, listener) => (heard[kind] = listener);
  const window = page(["readings.js", "cursors.js"], {
    document: { addEventListener: listen, body: null, createElement: (tag) => new Element(tag), getElementById: (id) => places[id] },
    requestAnimationFrame: (paint) => paint(),
    riwayatBetween: { show: (between) => asked.push(between), span: () => ({ start: 1, end: 2 }) },
    riwayatChart: { chart },
    riwayatRail: { light: (key) => lit.push(key), say() {} },
    setTimeout: later,
  });
  let time = 0;
  const event = (hour, more) => ({ button: 0, buttons: 0, clientX: hour * 10, clientY: 50, pointerType: "mouse", target: {}, timeStamp: time, ...more });
  return {
    asked,
    draw,
    dots: () => places.chart.all("cursor-dot").map(({ style }) => [style.left, style.top]),
    lit,
    lines: () => places.chart.all("cursor-pin").map(({ style }) => style.left),
    hover: (hour, y = 50) => place.listeners.pointermove(event(hour, { clientY: y })),
    leave: () => place.listeners.pointerleave({ pointerType: "mouse" }),
    // A finger that moves on and leaves.
    touch(from, to) {
      place.listeners.pointerdown(event(from, { pointerType: "touch" }));
      place.listeners.pointermove(event(to, { pointerType: "touch" }));
      heard.pointerup(event(to, { pointerType: "touch" }));
      place.listeners.pointerleave({ pointerType: "touch" });
    },
    click(hour, after = 1000) {
      time += after;
      place.listeners.pointerdown(event(hour));
      heard.pointerup(event(hour));
    },
    key: (key, more = {}) => heard.keydown({ key, preventDefault() {}, stopPropagation() {}, target: places["chart-frame"], ...more }),
    pins: () => [...window.riwayatCursors.state.pins].map(({ time: pinned }) => pinned / HOUR),
    readout: () => places.readout.children.map((child) => child.textContent).join(" | "),
    redraw(...figure) {
      draw(...figure);
      window.dispatchEvent(new Event("riwayat:drawn"));
    },
    places,
    wanted,
  };
}

test("a pointer says the time of the nearest reading in the zone of the figure, and its value", () => {
  const { hover, readout } = opened();
  hover(10.3);
  assert.equal(readout(), "1 Jan 17:00 | 10\u202f°C");
});

test("a click pins A, another B in their order, a third starts over, and Escape clears", () => {
  const { asked, click, key, pins } = opened();
  click(60);
  assert.deepEqual([pins(), asked.at(-1)], [[60], null]);
  click(40);
  assert.deepEqual(pins(), [40, 60]);
  const { from, to, series } = asked.at(-1);
  assert.deepEqual([Number(from) / HOUR, Number(to) / HOUR], [40, 60]); // in UTC
  assert.equal(JSON.stringify([series[0].values, series[0].change]), "[[40,60],20]");
  click(10);
  assert.deepEqual([pins(), asked.at(-1)], [[10], null]);
  key("Escape");
  assert.deepEqual(pins(), []);
});

test("a double click, which shows all, pins nothing and takes no pin away", () => {
  const { click, pins } = opened();
  click(30);
  click(50);
  click(50, 100);
  assert.deepEqual(pins(), [30]);
});

test("pins stay at their time in a window of another offset, and leave with their job", () => {
  const { asked, click, pins, redraw } = opened();
  click(30);
  click(50);
  redraw(20, 60, OFFSET + HOUR);
  assert.deepEqual(pins(), [30, 50]);
  assert.equal(Number(asked.at(-1).from), 30 * HOUR);
  redraw(0, 100, OFFSET, "another");
  assert.deepEqual([pins(), asked.at(-1)], [[], null]);
});

test("the values of A and B are those that are drawn now, and beside the window there are none", () => {
  const { asked, click, redraw } = opened();
  const said = () => JSON.stringify([asked.at(-1).series[0].values, asked.at(-1).series[0].change]);
  click(30);
  click(50);
  assert.equal(said(), "[[30,50],20]");
  redraw(20, 60, OFFSET, "job", (hour) => hour + 0.5); // means where readings were
  assert.equal(said(), "[[30.5,50.5],20]");
  redraw(30.1, 60);
  assert.equal(said(), "[[null,50],null]"); // as JSON writes what is undefined
  redraw(30.1, 60, OFFSET, "job", (hour) => hour, 1); // a bucket that begins before the window
  assert.equal(said(), "[[30,50],20]");
});

test("Escape in another part of the page, such as the search, leaves A and B", () => {
  const { click, key, pins } = opened();
  click(30);
  key("Escape", { target: { closest: () => null } });
  assert.deepEqual(pins(), [30]);
  for (const place of ["#chart-frame", "#readout", "#between"]) {
    click(30);
    key("Escape", { target: { closest: (selector) => (selector.includes(place) ? {} : null) } });
    assert.deepEqual(pins(), [], place);
  }
});

test("days are asked for by their date in the zone of the job, whatever its offset is then", () => {
  const { asked, click, lines, redraw } = opened({ bucket: "1d" });
  click(17);
  click(41);
  const dates = ["1970-01-02T00:00:00.000", "1970-01-03T00:00:00.000"];
  assert.deepEqual([asked.at(-1).from, asked.at(-1).to], dates);
  assert.deepEqual(lines(), ["170px", "410px"]);
  redraw(0, 100, OFFSET + HOUR);
  assert.deepEqual([asked.at(-1).from, asked.at(-1).to], dates);
  assert.deepEqual(lines(), ["160px", "400px"]);
});

test("Enter sets the cursor, arrows move it by readings and no window, and Enter pins it", () => {
  const { key, pins, places, readout } = opened();
  let stopped = 0;
  const stopPropagation = () => (stopped += 1);
  key("ArrowRight", { stopPropagation }); // without a cursor it is the window's
  assert.equal(stopped, 0);
  key("Enter");
  key("ArrowRight", { stopPropagation });
  key("ArrowLeft", { shiftKey: true, stopPropagation });
  assert.equal(stopped, 2);
  assert.match(readout(), /41\u202f°C/);
  assert.equal(places.readout.attributes["aria-live"], "polite");
  key("Enter");
  assert.deepEqual(pins(), [41]);
});

test("a finger that stays is the cursor and pins where it leaves; one that swipes is neither", () => {
  const stayed = opened({ setTimeout: (done) => done() });
  stayed.touch(20, 30);
  assert.deepEqual(stayed.pins(), [30]);
  assert.match(stayed.readout(), /30\u202f°C/);
  const swiped = opened({ setTimeout: () => null });
  swiped.touch(20, 30);
  assert.deepEqual([swiped.pins(), swiped.readout()], [[], ""]);
});

test("the reading that is said is marked on its line", () => {
  const { dots, hover } = opened();
  hover(10.3);
  assert.deepEqual(dots(), [["100px", "90px"]]);
});

test("the window from A to B is one press away", () => {
  const { click, places, wanted } = opened();
  click(30);
  click(50);
  places.readout.all("readout-button")[0].click();
  assert.deepEqual(wanted, [{ start: 1, end: 2 }]);
});

test("of many stations the one whose line is nearest to the pointer is meant, and told beside the time", () => {
  const { dots, hover, leave, lit, readout } = opened({ many: [30, 50, 90] });
  hover(10, 45); // of 0 to 100 px from the top: values of 55
  assert.deepEqual(lit, ["s50.temperature"]);
  assert.equal(readout(), "1 Jan 17:00 | 10\u202f°C | 50\u202f°C");
  assert.equal(dots().length, 2);
  hover(11, 8);
  hover(12, 34);
  assert.deepEqual(lit, ["s50.temperature", "s90.temperature", "s50.temperature"]);
  leave();
  assert.equal(lit.at(-1), null);
});
