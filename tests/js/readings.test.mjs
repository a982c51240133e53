import assert from "node:assert/strict";
import { test } from "node:test";

import { page } from "./page.mjs";

const HOUR = 3600000;
const { at, clock, difference, length, number, read, said, snap, step } = page(["readings.js"], { atob: globalThis.atob }).riwayatReadings;
const N = "\u202f";
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const typed = (values, dtype = "f8") => {
  const array = new { f8: Float64Array, f4: Float32Array }[dtype](values);
  return { bdata: globalThis.Buffer.from(array.buffer).toString("base64"), dtype };
};

const SERIES = { aggregation: "mean", bucket: "raw", decimals: 1, exact: true, key: "a.t", unit: "°C" };
const hours = (...many) => typed(many.map((hour) => hour * HOUR));
const line = (x, y, more = {}) => ({ legendgroup: "a.t", line: { color: "#111111" }, mode: "lines", type: "scatter", x, y, ...more });

// The series of a figure.
const series = (traces, ...many) => read({ data: traces, layout: { meta: { series: many.length ? many : [SERIES] } } });

for (const [value, decimals, expected] of [
  [36.7, 1, "36.7"],
  [-1234567.89, 2, `−1${N}234${N}567.89`],
  [123456789, 0, `123${N}456${N}789`],
  [-0.04, 1, "0.0"],
  [2.5, 0, "2"], // as Python writes it in the statistics
  [3.5, 0, "4"],
  [16.25, 1, "16.2"],
  [16.35, 1, "16.4"],
  [0.5, 0, "0"],
]) {
  test(`${value} with ${decimals} digits is written ${expected}`, () => assert.equal(number(value, decimals), expected));
}

test("the mark of a language stands before the digits that follow it", () => {
  assert.equal(number(1234.5, 1, ","), `1${N}234,5`);
});

for (const [format, expected] of [
  ["%-d %b %Y %H:%M WIB", "8 Jul 2013 05:07 WIB"],
  ["%-d %b %Y %H:%M:%S.%L UTC+7", "8 Jul 2013 05:07:09.030 UTC+7"],
  ["%B %Y", "Jul 2013"],
]) {
  test(`a time is as fine as its figure says: ${expected}`, () => {
    assert.equal(clock(Date.UTC(2013, 6, 8, 5, 7, 9, 30), format, MONTHS), expected);
  });
}

for (const [span, expected] of [
  [0, "0 s"],
  [59 * 1000, "59 s"],
  [90 * 60000, "1 h 30 min"],
  [24 * HOUR - 1, "24 h"],
  [9 * 24 * HOUR, "9 d"],
  [12 * 24 * HOUR + 5.4 * HOUR, "12 d 5 h"],
]) {
  test(`a span of ${span} ms is ${expected}`, () => assert.equal(length(span, ["d", "h", "min", "s"]).replaceAll(N, " "), expected));
}

test("a cursor takes the time of the nearest reading where a line is drawn, and none in a gap", () => {
  const shown = series([line(hours(0, 1, 2, 5, 6), typed([1, 2, NaN, 3, 4], "f4"))]);
  const pixel = HOUR / 100;
  assert.equal(snap(shown, 0.4 * HOUR, pixel).x, 0);
  assert.equal(snap(shown, 0.6 * HOUR, pixel).x, HOUR);
  assert.equal(snap(shown, 3 * HOUR, pixel).x, 3 * HOUR); // far from all
  assert.equal(snap(shown, 3 * HOUR, pixel).series, null);
  assert.equal(at(shown[0], 3 * HOUR, pixel), -1);
  assert.equal(snap(shown, 4.95 * HOUR, pixel).x, 5 * HOUR);
});

test("an arrow goes to the next reading of any series that is shown, and stops at the last", () => {
  const shown = series(
    [line(hours(0, 2), typed([1, 2])), { ...line(hours(0.5, 2), typed([1, 2])), legendgroup: "b.t" }],
    SERIES,
    { ...SERIES, key: "b.t" },
  );
  const forth = [0, 0.5, 2].map((hour) => step(shown, hour * HOUR, true));
  assert.deepEqual(forth, [0.5 * HOUR, 2 * HOUR, null]);
  assert.deepEqual([0, 0.5, 2].map((hour) => step(shown, hour * HOUR, false)), [null, 0, 0.5 * HOUR]);
});

test("a series says its reading, and what else is drawn in that pixel", () => {
  const [one] = series([line(hours(0, 1, 1.001, 1.002, 9), typed([20, 30, 35.55, 25, 1]))]);
  assert.equal(JSON.stringify(said(one, HOUR, 0.1 * HOUR, ".")), JSON.stringify({ value: `30.0${N}°C`, aside: "25.0 – 35.5" }));
  assert.equal(said(one, 0, 0.1 * HOUR, ".").aside, "");
  assert.equal(said(one, 5 * HOUR, 0.01 * HOUR, "."), null);
});

test("a mean says the least and greatest of its bucket, with all digits of long numbers", () => {
  const outline = { fill: "toself", legendgroup: "a.t", showlegend: false, x: hours(0, 1, 1, 0), y: typed([5, 1234567.9, 1234566.1, 3]) };
  const [one] = series([outline, line(hours(0, 1), typed([4, 1234567]), {})], { ...SERIES, bucket: "1h", exact: false });
  assert.equal(said(one, HOUR, 1, ".").aside, `1${N}234${N}566.1 – 1${N}234${N}567.9`);
  assert.equal(said(one, 0, 1, ".").aside, "3.0 – 5.0");
});

test("a flagged reading is told with its mark and its true value", () => {
  const marks = { customdata: typed([-9999]), legendgroup: "a.t", mode: "markers", showlegend: false, x: hours(1), y: typed([0]) };
  const [one] = series([line(hours(0, 2), typed([1, 2])), marks]);
  assert.equal(said(one, HOUR, 1000, ".").aside, `⚑ −9${N}999.0`);
  const [told] = series([line(hours(0, 2), typed([1, 2])), { ...marks, text: ["Spike, limit 6"] }]);
  assert.equal(said(told, HOUR, 1000, ".").why, "⚑ Spike, limit 6");
  assert.equal(said(told, 0, 1, ".").why, undefined);
});

test("a bar is read anywhere in its bucket, also beside the bars of other stations", () => {
  const bar = (legendgroup, place) => ({
    legendgroup,
    marker: { color: "#222222" },
    offset: (place * HOUR) / 2,
    type: "bar",
    width: HOUR / 2,
    x: hours(0, 1, 3),
    y: typed([1, 2, 4]),
  });
  const rain = { ...SERIES, aggregation: "sum", bucket: "1h", drawn: "hourly sum", unit: "mm" };
  const shown = series([bar("a.t", 0), bar("b.t", 1)], rain, { ...rain, key: "b.t" });
  for (const [hour, expected] of [[0.9, "1.0"], [1, "2.0"], [1.9, "2.0"], [3.9, "4.0"]]) {
    assert.deepEqual(shown.map((one) => said(one, hour * HOUR, 1000, ".").value), [`${expected}${N}mm`, `${expected}${N}mm`]);
  }
  assert.equal(said(shown[0], 2.5 * HOUR, 1000, "."), null);
  assert.equal(snap(shown, 1.9 * HOUR, 1000).x, HOUR);
  assert.equal(said(shown[0], HOUR, 1000, ".").aside, "hourly sum");
});

test("directions of a column are told together, and it is no reading's time", () => {
  const dots = { legendgroup: "a.t", marker: { color: "#333333" }, mode: "markers", type: "scatter" };
  const wind = { ...SERIES, aggregation: "direction", decimals: 0, exact: false, unit: "°" };
  const [one] = series([{ ...dots, x: hours(1, 1, 1, 1), y: typed([3, 90, 180, 270]) }], wind);
  assert.equal(said(one, HOUR, 1000, ".").value, `3, 90, 180 …${N}°`);
  assert.equal(snap([one], HOUR + 1, 1000).series, null);
  assert.equal(difference(wind, 350, 10), 20);
  assert.equal(difference(wind, 10, 350), -20);
});

test("a difference is that of the numbers that are shown", () => {
  assert.equal(number(difference(SERIES, 1.04, 2.06), 1), "1.1");
});

test("the top of rain bars of many stations is read anywhere in its bucket, and nowhere in a gap", () => {
  const main = { legendgroup: "a.rainfall", line: { color: "#888888", shape: "hv" }, mode: "lines", showlegend: false, type: "scatter", x: [0, 10, 20, 20, 40, 50, 50], y: [1, 2, 2, null, 3, 3, null] };
  const layout = { meta: { series: [{ key: "a.rainfall", many: true, aggregation: "sum" }] } };
  const [series] = read({ data: [main], layout });
  const found = (time) => series.y[at(series, time, 1)];
  assert.deepEqual([0, 9, 10, 19, 25, 40, 49, 51].map(found), [1, 1, 2, 2, undefined, 3, 3, undefined]);
});
