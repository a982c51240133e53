import assert from "node:assert/strict";
import { test } from "node:test";

import { Element, page } from "./page.mjs";

const ODD = ["%{y}", "sensor__proto__7", "__proto__", "n".repeat(124)];

// The rail of some stations' temperature, and what it hides.
function rail(stations) {
  const marks = stations.map((station) => ({ dataset: { series: `${station}.temperature` }, style: {} }));
  const places = { notes: new Element("div"), rail: new Element("div"), "rail-strip": new Element("div") };
  places.notes.dataset.words = JSON.stringify({ add: "Add note" });
  Object.assign(places.rail.dataset, { series: "Series", only: "Show only this one", hide: "Hide {name}" });
  const series = stations.map((station) => {
    return { key: `${station}.temperature`, station, short: station.slice(0, 22), sensor: "Air temperature", unit: "°C" };
  });
  const line = { color: "#123456", dash: "6px,3px" };
  const data = series.flatMap(({ key }) => [
    { legendgroup: key, showlegend: false, type: "scatter" },
    { legendgroup: key, line, mode: "lines", type: "scatter" },
  ]);
  const chart = { figure: { data }, hidden: new Set(["OTHER.rainfall"]), meta: { series }, place: { querySelectorAll: () => [] } };
  const window = page(["rail.js"], {
    document: { createElement: (tag) => new Element(tag), createElementNS: (_space, tag) => new Element(tag), getElementById: (id) => places[id] || new Element("div"), querySelectorAll: () => marks },
    riwayatChart: {
      chart,
      hide(keys) {
        chart.hidden = new Set(keys);
        window.riwayatRail.show();
      },
    },
  });
  window.riwayatRail.show();
  const all = (css) => Object.values(places).flatMap((place) => place.all(css));
  return { all, chart, hidden: () => [...chart.hidden], marks, places, window };
}

test("the keys of the statistics have the colours that are drawn", () => {
  const { marks } = rail(["EWR", "JFK"]);
  assert.deepEqual(marks.map(({ style }) => style.backgroundColor), ["#123456", "#123456"]);
});

const pressed = (elements) => elements.map(({ attributes }) => attributes["aria-pressed"]);

test("an eye hides its series and shows it again, and says so to a screen reader", () => {
  const { all, hidden } = rail(["EWR", "JFK"]);
  assert.deepEqual(pressed(all("rail-eye")), ["false", "false"]);
  assert.equal(all("rail-eye")[1].attributes["aria-label"], "Hide JFK, Air temperature");
  all("rail-eye")[1].click();
  assert.deepEqual(hidden(), ["OTHER.rainfall", "JFK.temperature"]); // of another view: it stays hidden
  assert.deepEqual(pressed(all("rail-eye")), ["false", "true"]);
  all("rail-eye")[1].click();
  assert.deepEqual(hidden(), ["OTHER.rainfall"]);
});

test("a name shows its series alone, another one that one, and the same again all of them", () => {
  const { all, hidden } = rail(["EWR", "JFK", "LGA"]);
  const [first, second] = all("rail-name");
  first.click();
  assert.deepEqual(hidden().slice(1), ["JFK.temperature", "LGA.temperature"]);
  assert.deepEqual(pressed(all("rail-name")), ["true", "false", "false"]);
  second.click();
  assert.deepEqual(hidden().slice(1), ["EWR.temperature", "LGA.temperature"]);
  second.click();
  assert.deepEqual(hidden(), ["OTHER.rainfall"]);
});

test("a swatch has the colour and the dash of the line that is drawn", () => {
  const [swatch] = rail(["EWR"]).all("rail-swatch");
  const { attributes } = swatch.children[0].children[0];
  assert.deepEqual([attributes.stroke, attributes["stroke-dasharray"]], ["#123456", "6,3"]);
});

test("values stand at their series, whose unit is told without one", () => {
  const { all, window } = rail(ODD);
  assert.deepEqual(all("rail-station").map((each) => each.textContent), ODD.map((name) => name.slice(0, 22)));
  const values = () => all("rail-value").map((each) => each.textContent);
  assert.deepEqual(values(), ["°C", "°C", "°C", "°C"]);
  window.riwayatRail.say(new Map([["__proto__.temperature", { value: "−123 456 789.0 °C", aside: "" }]]));
  assert.deepEqual(values(), ["–", "–", "−123 456 789.0 °C", "–"]);
  window.riwayatRail.say(null);
  assert.deepEqual(values(), ["°C", "°C", "°C", "°C"]);
});

test("the rail is beneath the form, nowhere without series, and what is shown is named above the chart of a small screen", () => {
  const { all, chart, places, window } = rail(["EWR", "JFK"]);
  const above = () => places["rail-strip"].all("rail-key").map((key) => key.textContent);
  assert.deepEqual([places.rail.hidden, all("rail-row").length, above()], [false, 2, ["EWR", "JFK"]]);
  chart.hidden.add("EWR.temperature");
  chart.meta.series.push({ ...chart.meta.series[1], key: "JFK.rainfall", sensor: "Rain" });
  chart.figure.data.push({ legendgroup: "JFK.rainfall", marker: { color: "#123456" }, type: "bar" });
  window.riwayatRail.show();
  assert.deepEqual(above(), ["Air temperature", "Rain"]); // of one station
  chart.meta = null;
  window.riwayatRail.show();
  assert.deepEqual([places.rail.hidden, places["rail-strip"].hidden, all("rail-row").length], [true, true, 0]);
});

test("a panel of which nothing is shown leaves its room to the others, and gets it back", () => {
  const { fold } = rail(["EWR"]).window.riwayatRail;
  const axes = { yaxis: { domain: [0.7, 1], nticks: 6 }, yaxis2: { domain: [0.35, 0.65], nticks: 6 }, yaxis3: { domain: [0, 0.3], nticks: 6 } };
  const annotations = [1, 0.65, 0.3].map((y) => ({ x: 0, y })).concat({ x: 1, y: 1 });
  const shapes = [{ yref: "y2" }, { yref: "paper" }];
  const layout = { ...axes, annotations, shapes, xaxis: {} };
  const data = ["y", "y2", "y3"].map((yaxis) => ({ yaxis }));
  const drawn = () => Object.values(axes).map(({ domain, visible }) => [...domain.map((share) => Number(share.toFixed(3))), visible]);
  fold(data, layout);
  const before = drawn();
  assert.deepEqual(before, [[0.7, 1, true], [0.35, 0.65, true], [0, 0.3, true]]);
  data[1].visible = "legendonly";
  fold(data, layout);
  assert.deepEqual([drawn()[0], drawn()[2], axes.yaxis2.visible], [[0.525, 1, true], [0, 0.475, true], false]);
  assert.deepEqual(annotations.map(({ visible, y }) => [visible, Number(y.toFixed(3))]), [[true, 1], [false, 0.65], [true, 0.475], [undefined, 1]]);
  assert.ok(axes.yaxis.nticks > 8);
  assert.deepEqual(shapes.map(({ visible }) => visible), [false, undefined]);
  for (const trace of data) trace.visible = "legendonly";
  fold(data, layout);
  assert.deepEqual(drawn(), before.map(([bottom, top]) => [bottom, top, false])); // no blank paper
  for (const trace of data) delete trace.visible;
  fold(data, layout);
  assert.deepEqual(drawn(), before);
  assert.equal(axes.yaxis.nticks, 6);
});

test("of many stations those that are shown have colours while they are few", () => {
  const { window } = rail([]);
  const grey = () => ({ color: "#888888" });
  const series = ["a", "b", "c"].map((name) => ({ key: `${name}.temperature`, many: true, sensor: "Air temperature" }));
  const data = series.map(({ key }) => ({ legendgroup: key, line: grey(), mode: "lines", opacity: 0.45, showlegend: false, yaxis: "y" }));
  const layout = { meta: { hues: ["#one", "#two"], series }, yaxis: { domain: [0, 1] } };
  const looks = () => data.map(({ line, opacity }) => [line.color, opacity]);
  window.riwayatRail.fold(data, layout);
  assert.deepEqual(looks(), Array(3).fill(["#888888", 0.45]));
  data[0].visible = "legendonly";
  window.riwayatRail.fold(data, layout);
  assert.deepEqual(looks(), [["#888888", 0.45], ["#one", 1], ["#two", 1]]);
  delete data[0].visible;
  window.riwayatRail.fold(data, layout);
  assert.deepEqual(looks(), Array(3).fill(["#888888", 0.45]));
});

test("the one of many that is pointed at, in the chart or the rail, lies over the others until another is", () => {
  const { all, chart, window } = rail(["a", "b"]);
  const drawn = new Map(["a", "b"].map((name) => [`.scatterlayer .traces${name}`, Object.assign(classes(), { parent: [] })]));
  for (const each of drawn.values()) each.parentNode = { append: (one) => one.parent.push(one) };
  chart.place = { querySelectorAll: (selector) => (selector === ".scatterlayer .lit" ? [...drawn.values()].filter((one) => one.lit) : [drawn.get(selector)]) };
  chart.meta.series.forEach((one) => (one.many = true));
  chart.figure.data = chart.meta.series.map(({ key, station }) => ({ legendgroup: key, line: { color: "#888888", dash: "solid" }, mode: "lines", showlegend: false, uid: `s${station}` }));
  window.riwayatRail.show();
  const lit = () => [...drawn.values()].map((one) => one.lit);
  window.riwayatRail.light("a.temperature");
  assert.deepEqual(lit(), [true, false]);
  all("rail-row")[1].listeners.pointerenter();
  assert.deepEqual(lit(), [false, true]);
  assert.deepEqual(all("rail-row").map(({ dataset }) => dataset.lit), ["", "true"]);
  assert.equal([...drawn.values()][1].parent.length, 1); // drawn last
  all("rail-row")[1].listeners.pointerleave();
  assert.deepEqual(lit(), [false, false]);
});

function classes() {
  const element = { lit: false };
  element.classList = { add: () => (element.lit = true), remove: () => (element.lit = false) };
  return element;
}
