// What lies between the cursors A and B (cursors.js): the readings there and their difference, and
// from all readings of the server mean, total and count.
(function () {
  "use strict";

  const byId = (id) => document.getElementById(id);
  const words = () => byId("between").dataset;
  const { number } = window.riwayatReadings;
  const mark = () => (window.riwayatChart.chart.config.locale === "id" ? "," : ".");
  let shown = null; // what is said, as cursors.js has it
  let asking = null; // {from, to, figure, answer, trouble, abort}

  function make(tag, css, children) {
    const made = document.createElement(tag);
    made.className = css;
    made.append(...[children].flat());
    return made;
  }

  // Show what is between; null: nothing is.
  function show(between) {
    shown = between;
    byId("between").hidden = !between;
    if (between && !between.same) {
      ask(between);
    } else {
      if (asking) asking.abort.abort();
      asking = null;
    }
    draw();
  }

  const draw = () => byId("between").replaceChildren(...(shown ? contents(shown) : []));

  // Of the same figure the answer is the same; until another one's is there, the last one stays.
  async function ask({ from, to }) {
    const { figure, meta } = window.riwayatChart.chart;
    const same = asking && asking.from === from && asking.to === to;
    if (same && asking.figure === figure && !asking.trouble) return;
    if (asking) asking.abort.abort();
    const mine = { from, to, figure, abort: new AbortController(), answer: same ? asking.answer : null };
    asking = mine;
    const { revision: job, flags } = meta;
    const flagged = byId("flagged").checked;
    const { dataset, lang } = document.documentElement;
    const path = `${dataset.prefix}api/jobs/${encodeURIComponent(job)}/stats`;
    const headers = { Accept: "application/json", "Accept-Language": lang };
    try {
      const query = new URLSearchParams({ from, to, flagged, ...(flags && { flags }) });
      const answer = await fetch(`${path}?${query}`, { headers, signal: mine.abort.signal });
      const found = await answer.json();
      if (answer.ok) mine.answer = found;
      else mine.trouble = found.error.message;
    } catch {
      mine.trouble = words().trouble;
    }
    if (asking === mine) draw();
  }

  function contents({ series, times }) {
    const { trouble } = asking || {};
    const title = make("h2", "", words().title);
    const head = make("div", "between-head", [title, make("span", "between-times", times)]);
    const heads = JSON.parse(words().heads).map((text, index) => make("th", index ? "number" : "text", text));
    const table = make("table", "stats-table between-table", [
      make("thead", "", make("tr", "", heads)),
      make("tbody", "", series.map(row)),
    ]);
    return [head, ...(trouble ? [make("p", "between-trouble", trouble)] : []), table];
  }

  function row(one) {
    const { key, station, sensor, color, values, change, unit, decimals } = one;
    const answer = asking && asking.answer;
    const found = answer && answer.series.find((each) => `${each.station}.${each.sensor}` === key);
    const swatch = make("span", "stats-key", []);
    swatch.style.background = color;
    const name = make("th", "text", [swatch, make("span", "stats-station", station), make("span", "stats-sensor", sensor)]);
    const write = (value) => (typeof value === "number" ? `${number(value, decimals, mark())}\u202f${unit}` : "–");
    const sums = one.aggregation === "sum";
    const middle = found ? [write(sums ? found.sum : found.mean), make("small", "stats-time", sums ? words().total : words().mean)] : blank();
    const signed = typeof change === "number" && Number(change.toFixed(decimals)) > 0 ? `+${write(change)}` : write(change);
    const drawn = values.map((value) => [write(value), ...(one.drawn && value !== undefined ? [make("small", "stats-time", one.drawn)] : [])]);
    const cells = [...drawn, signed, middle, found ? number(found.rows, 0) : blank()];
    const heads = JSON.parse(words().heads);
    return make("tr", "", [name, ...cells.map((cell, index) => labelled(make("td", "number", cell), heads[index + 1]))]);
  }

  // On a phone each number stands beneath its name.
  function labelled(cell, label) {
    cell.dataset.label = label;
    return cell;
  }

  // Nothing lies between a time and itself; what is still asked for is on its way.
  const blank = () => (asking && !asking.trouble ? "…" : "–");

  // The window from A to B as the server understood it; null until it has answered.
  function span() {
    const { answer } = asking || {};
    return answer ? { start: Date.parse(answer.from), end: Date.parse(answer.to) } : null;
  }

  window.riwayatBetween = { show, span };
})();
