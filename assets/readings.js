// The points of a figure as numbers, which of them are at a time, and how numbers and times are
// written. Times are ms of the figure's axis. It comes with the cursors (cursors.js).
(function () {
  "use strict";

  const NEAR_PX = 12; // how far from the cursor a reading may be that it shows
  const FLAG_PX = 4;
  const MOST_DOTS = 3; // directions at once
  const TIE_DIGITS = 40; // after which a number that is half a digit has only zeros
  const NARROW = "\u202f";
  const ARRAYS = { f4: Float32Array, f8: Float64Array, u1: Uint8Array, u2: Uint16Array, u4: Uint32Array };

  // Plotly's typed arrays: base64 of little-endian bytes.
  function numbers(values) {
    if (!values || values.bdata === undefined) return values || [];
    const bytes = Uint8Array.from(window.atob(values.bdata), (letter) => letter.charCodeAt(0));
    return new ARRAYS[values.dtype](bytes.buffer);
  }

  // ---- words ------------------------------------------------------------------------------------

  // As i18n.format_number: groups of three digits, the language's mark, ties to the even digit.
  function number(value, decimals, mark = ".") {
    const exact = Math.abs(value).toFixed(decimals + TIE_DIGITS);
    let text = Math.abs(value).toFixed(decimals);
    if (/^50*$/.test(exact.slice(-TIE_DIGITS))) {
      const down = exact.slice(0, -TIE_DIGITS).replace(/\.$/, "");
      if (Number(down.at(-1)) % 2 === 0) text = down;
    }
    const [whole, fraction] = text.split(".");
    const sign = value < 0 && /[1-9]/.test(text) ? "\u2212" : "";
    return sign + whole.replace(/\B(?=(\d{3})+$)/g, NARROW) + (fraction ? mark + fraction : "");
  }

  const two = (part) => String(part).padStart(2, "0");

  // A time of the axis by the format of a figure's hover (figures/words.py): %-d %b %Y %H:%M:%S.%L.
  function clock(time, format, months) {
    const date = new Date(time);
    const parts = {
      "-d": date.getUTCDate(),
      b: months[date.getUTCMonth()],
      B: months[date.getUTCMonth()],
      Y: String(date.getUTCFullYear()).padStart(4, "0"),
      H: two(date.getUTCHours()),
      M: two(date.getUTCMinutes()),
      S: two(date.getUTCSeconds()),
      L: String(date.getUTCMilliseconds()).padStart(3, "0"),
    };
    return format.replace(/%(-d|[bBYHMSL])/g, (_all, part) => parts[part]);
  }

  // As figures/words.py has it, in two units at most: 12 d 5 h. `units` are those of day to second.
  function length(span, units) {
    const sizes = [86400000, 3600000, 60000, 1000];
    const place = sizes.findIndex((size, index) => index === 3 || span >= size);
    const next = Math.min(place + 1, 3);
    const total = Math.round(span / sizes[next]);
    const ratio = sizes[place] / sizes[next];
    const [whole, part] = [Math.floor(total / ratio), total % ratio];
    return `${number(whole, 0)}${NARROW}${units[place]}` + (part ? ` ${part}${NARROW}${units[next]}` : "");
  }

  // ---- points -----------------------------------------------------------------------------------

  // Where x is, or would stand: the number of times before it.
  function before(times, x) {
    let [low, high] = [0, times.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (times[middle] < x) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  function nearest(times, x) {
    const after = before(times, x);
    if (after === times.length) return after - 1;
    return after > 0 && x - times[after - 1] <= times[after] - x ? after - 1 : after;
  }

  // The points of a trace that have a value; `joined`: whether one is drawn together with the last.
  function points(trace) {
    const [xs, ys] = [numbers(trace.x), numbers(trace.y)];
    const found = { x: [], y: [], at: [], joined: [] };
    let pause = true;
    for (let at = 0; at < xs.length; at += 1) {
      const there = ys[at] !== null && !Number.isNaN(ys[at]);
      if (there) {
        found.x.push(xs[at]);
        found.y.push(ys[at]);
        found.at.push(at);
        found.joined.push(!pause);
      }
      pause = !there;
    }
    return found;
  }

  // A band's outlines run along the upper edge of each stretch and back along the lower one.
  function band(trace) {
    const [xs, ys] = [numbers(trace.x), numbers(trace.y)];
    const found = { x: [], low: [], high: [] };
    for (let first = 0; first < xs.length; ) {
      let stop = first;
      while (stop < xs.length && !Number.isNaN(ys[stop])) stop += 1;
      for (let at = 0; at < (stop - first) / 2; at += 1) {
        found.x.push(xs[first + at]);
        found.high.push(ys[first + at]);
        found.low.push(ys[stop - 1 - at]);
      }
      first = stop + 1;
    }
    return found;
  }

  // Bars of several stations stand side by side within a bucket; how wide that is.
  function widths(trace, bars, found) {
    const first = (value) => (typeof value === "number" ? value : numbers(value)[0] || 0);
    const beside = Math.max(...bars.map((bar) => Math.round(first(bar.offset) / (first(bar.width) || 1)) + 1));
    const width = typeof trace.width === "number" ? null : numbers(trace.width);
    return found.at.map((at) => (width ? width[at] : trace.width) * beside);
  }

  // Of bars, and of a line along the tops of bars; null: of other lines.
  function widthsOf(main, bars, found) {
    if (main && main.type === "bar") return widths(main, bars, found);
    if (!main || !main.line || main.line.shape !== "hv") return null;
    const xs = numbers(main.x);
    return found.at.map((at) => (at + 1 < xs.length ? xs[at + 1] - xs[at] : 0));
  }

  // All series of a figure, those that are hidden too. Traces drawn besides, such as a running mean,
  // have no entry in a legend.
  function read({ data, layout }) {
    const bars = data.filter(({ type }) => type === "bar");
    return layout.meta.series.map(function (series) {
      const traces = data.filter(({ legendgroup }) => legendgroup === series.key);
      const main = traces.find(({ showlegend }) => series.many || showlegend !== false);
      const found = points(main || {});
      const [outline] = traces.filter(({ fill }) => fill === "toself");
      const [marks] = traces.filter(({ customdata, showlegend }) => customdata && showlegend === false);
      const columns = found.x.some((x, place) => place > 0 && x === found.x[place - 1]);
      const { color } = (main && (main.line || main.marker)) || {};
      return {
        ...series,
        ...found,
        color,
        axis: main && main.yaxis ? main.yaxis.replace("y", "yaxis") : "yaxis",
        // Directions that occurred in a column stand in its middle, at no reading's time.
        timed: series.aggregation !== "direction" || series.exact || (series.bucket !== "raw" && !columns),
        width: widthsOf(main, bars, found),
        band: outline && band(outline),
        flagged: marks && { x: numbers(marks.x), y: numbers(marks.customdata), why: marks.text || [] },
      };
    });
  }

  // ---- what is at a time ------------------------------------------------------------------------

  // The bar that a time is in; -1: none.
  function barAt({ x, width }, time) {
    const at = before(x, time + 0.5) - 1;
    return at >= 0 && time < x[at] + width[at] ? at : -1;
  }

  // Whether a line is drawn at a time, between two of its points.
  const drawnAt = ({ x, joined }, time) => joined[before(x, time)] && before(x, time) > 0;

  // The time that a cursor takes from all series that are shown: that of the nearest reading; in
  // bars alone that of the bar, and where nothing is, its own. `pixel` is the ms of one.
  function snap(shown, time, pixel) {
    let best = null;
    for (const series of shown) {
      if (series.width || !series.timed || !series.x.length) continue;
      const x = series.x[nearest(series.x, time)];
      const far = Math.abs(x - time);
      if (far > NEAR_PX * pixel && !drawnAt(series, time)) continue;
      if (!best || far < best.far) best = { x, far, series };
    }
    for (const series of best ? [] : shown) {
      const at = series.width ? barAt(series, time) : -1;
      if (at >= 0) return { x: series.x[at], series };
    }
    return best || { x: time, series: null };
  }

  // The next reading after a time (or the last before it) of all series that are shown.
  function step(shown, time, forth) {
    let best = null;
    for (const { x } of shown.filter(({ timed }) => timed)) {
      const next = forth ? x[before(x, time + 0.5)] : x[before(x, time - 0.5) - 1];
      if (next === undefined) continue;
      if (best === null || (forth ? next < best : next > best)) best = next;
    }
    return best;
  }

  // The reading of a series at a time; -1: none.
  function at(series, time, pixel) {
    if (series.width) return barAt(series, time);
    const place = series.x.length ? nearest(series.x, time) : -1;
    return place >= 0 && Math.abs(series.x[place] - time) <= NEAR_PX * pixel ? place : -1;
  }

  // What is drawn of a series in the pixel of a reading: least and greatest.
  function extent({ x, y, band: edges }, place, pixel) {
    if (edges && edges.x.length) {
      const column = nearest(edges.x, x[place]);
      return [Math.min(edges.low[column], y[place]), Math.max(edges.high[column], y[place])];
    }
    const values = y.slice(before(x, x[place] - pixel / 2), before(x, x[place] + pixel / 2 + 0.5));
    return [Math.min(y[place], ...values), Math.max(y[place], ...values)];
  }

  // What the rail says of a series at a time: {value, aside}, and why a reading is flagged; null
  // without a reading.
  function said(series, time, pixel, mark) {
    const { decimals, unit, x, y, flagged } = series;
    const write = (value) => number(value, decimals, mark);
    const flag = flagged && flagged.x.length ? nearest(flagged.x, time) : -1;
    const near = flag >= 0 && Math.abs(flagged.x[flag] - time) <= FLAG_PX * pixel;
    const asides = near ? [`⚑ ${write(flagged.y[flag])}`] : [];
    const why = near && flagged.why[flag] && { why: `⚑ ${flagged.why[flag]}` };
    const place = at(series, time, pixel);
    if (place < 0) return asides.length ? { value: "–", aside: asides[0], ...why } : null;
    let value = write(y[place]);
    if (series.aggregation === "direction") {
      const dots = new Set(y.slice(before(x, x[place] - pixel / 2), before(x, x[place] + pixel / 2 + 0.5)).map(write));
      if (dots.size > 1) value = [...dots].slice(0, MOST_DOTS).join(", ") + (dots.size > MOST_DOTS ? " …" : "");
    } else if (series.width) {
      asides.unshift(...[series.drawn].filter(Boolean));
    } else {
      const [low, high] = extent(series, place, pixel).map(write);
      if (low !== high) asides.unshift(`${low} – ${high}`);
    }
    return { value: `${value}${NARROW}${unit}`, aside: asides.join("  "), ...why };
  }

  // From one reading to a later one; of directions the shorter way around.
  function difference({ aggregation, decimals }, from, to) {
    const [first, second] = [from, to].map((value) => Number(value.toFixed(decimals)));
    return aggregation === "direction" ? ((second - first + 540) % 360) - 180 : second - first;
  }

  window.riwayatReadings = { at, clock, difference, length, number, read, said, snap, step };
})();
