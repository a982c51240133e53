// What every chart shares, on the history page (chart.js) and in the frame of another page
// (embed.js): which window its user wants, the gestures that say so, and drawing a figure.
//
// The axis shows only what is drawn. A gesture that has moved it is answered at once by putting it
// back: the figure that comes brings the axis of its own window, together with all that is said of
// it. Times are ms UTC; a figure's axis is the wall clock of the request's zone: axis = UTC +
// layout.meta.offset, one offset a figure, so the way back is exact.
(function () {
  "use strict";

  const WAIT_MS = 120; // between the last key or move and the question to the server
  const LEAST_MS = 1000; // the narrowest window
  const WHEEL_PX = 240; // of a wheel that double the window, two notches of most
  const MARGINS_PX = 68; // left and right of the plot, as figures/panels.py has them
  const RETRY_MS = 2000; // for a script that did not come
  const touched = window.matchMedia("(pointer: coarse)"); // a finger scrolls the page

  // "2019-03-01 12:00:00.1234" (cut at any place) or a number, on the figure's axis -> ms UTC.
  function axisTime(value, offset) {
    if (typeof value === "number") return Math.round(value) - offset;
    const [date, clock = ""] = String(value).split(/[ T]/);
    const [year, month = 1, day = 1] = date.split("-").map(Number);
    const [hours = 0, minutes = 0, seconds = 0] = clock.split(":").filter(Boolean).map(Number);
    const midnight = new Date(0);
    midnight.setUTCFullYear(year, month - 1, day);
    return midnight.getTime() + Math.round(((hours * 60 + minutes) * 60 + seconds) * 1000) - offset;
  }

  const pause = (ms) => new Promise((resolve) => window.setTimeout(resolve, ms));

  // A window inside of [first, last], as long as was wanted where that is possible; null where that
  // is all of it.
  function clamped({ start, end }, [first, last]) {
    const length = Math.min(Math.max(end - start, LEAST_MS), last - first);
    const begin = Math.round(Math.min(Math.max(start, first), last - length));
    const stop = Math.round(begin + length);
    return begin > first || stop < last ? { start: begin, end: stop } : null;
  }

  const coming = new Map(); // address -> the promise that its script has run

  // A script that only some of the page's users need, asked for until it comes.
  function scriptReady(url) {
    if (!coming.has(url)) coming.set(url, loaded(url));
    return coming.get(url);
  }

  async function loaded(url) {
    while (!(await load(url).then(() => true, () => false))) await pause(RETRY_MS);
  }

  // Plotly's script, which Dash may be loading already.
  const plotlyReady = (url) => (window.Plotly ? Promise.resolve() : scriptReady(url));

  // One try, for who says what did not come.
  function load(url) {
    const { href } = new URL(url, window.location.href);
    let script = [...document.scripts].find((each) => each.src === href);
    if (!script) {
      script = document.createElement("script");
      script.src = href;
      document.head.append(script);
    }
    return new Promise(function (resolve, reject) {
      script.addEventListener("load", resolve);
      script.addEventListener("error", function () {
        script.remove();
        reject(new Error(`${href} did not come`));
      });
    });
  }

  class Chart {
    // `place` is the element to draw in, `plotly` the address of its script, `config` Plotly's.
    // `changed` is called when the wanted window is another one, `ask` when the hand rests, `door`
    // when a point is pressed that leads to a window.
    constructor(place, { plotly, config, changed, ask, door }) {
      Object.assign(this, { place, plotly, config, changed, ask, door });
      this.meta = null; // of the figure that is drawn
      this.hidden = new Set(); // series that its user hid
      this.window = null; // what is wanted: {start, end}, or null = all of it
      this.revision = 0;
      this.timer = null;
      this.queue = Promise.resolve();
      this.held = null; // while a pointer is down in the chart: {released, release}
    }

    get whole() {
      return { start: this.meta.whole[0], end: this.meta.whole[1] };
    }

    get seen() {
      return this.window || this.whole;
    }

    // The user wants [start, end), or all of it (null).
    want(wanted, waitMs = WAIT_MS) {
      if (!this.meta) return;
      this.window = wanted && clamped(wanted, this.meta.whole);
      this.changed();
      window.clearTimeout(this.timer);
      this.timer = window.setTimeout(this.ask, waitMs);
    }

    // Nothing is drawn any more.
    forget() {
      window.clearTimeout(this.timer);
      this.meta = null;
    }

    pan(share) {
      const { start, end } = this.seen;
      const step = (end - start) * share;
      this.want({ start: start + step, end: end + step });
    }

    // The time at a share of the window stays where it is.
    zoom(factor, share = 0.5) {
      const { start, end } = this.seen;
      const time = start + (end - start) * share;
      const length = Math.max((end - start) * factor, LEAST_MS);
      this.want({ start: time - length * share, end: time + length * (1 - share) });
    }

    // Ctrl and the wheel, or two fingers on a trackpad, zoom at the pointer; the wheel alone scrolls
    // the page.
    wheel(event) {
      const { _size: size } = this.place._fullLayout || {};
      if (!event.ctrlKey || !size || !this.meta || this.meta.still) return;
      event.preventDefault();
      const share = (event.clientX - this.place.getBoundingClientRect().left - size.l) / size.w;
      const step = event.deltaMode ? Math.sign(event.deltaY) * WHEEL_PX : event.deltaY; // some count lines
      this.zoom(2 ** Math.min(Math.max(step / WHEEL_PX, -1), 1), Math.min(Math.max(share, 0), 1));
    }

    // Whether a key meant the chart.
    key(event) {
      const action = KEYS[event.key];
      if (!action || !this.meta || event.ctrlKey || event.metaKey || event.altKey) return false;
      event.preventDefault();
      action(this, event);
      return true;
    }

    // Draw a figure; the promise is kept when it can be seen. Figures are drawn one after the
    // other.
    show(figure) {
      this.figure = figure;
      this.meta = figure.layout.meta || null;
      this.queue = this.queue.catch(() => null).then(() => this.draw(figure));
      return this.queue;
    }

    async draw(figure) {
      await plotlyReady(this.plotly);
      const { layout } = figure;
      this.keepHidden(figure);
      this.revision += 1;
      // what its user hid stays hidden in figures of other windows and jobs
      layout.uirevision = this.meta && this.meta.still ? this.revision : "kept";
      if (layout.xaxis) layout.xaxis.uirevision = this.revision; // … and the axis is that of the figure, whatever was dragged
      layout.width = this.place.clientWidth || undefined;
      if (touched.matches) layout.dragmode = false;
      const drawn = window.Plotly.react(this.place, figure.data, layout, this.config);
      this.listen(); // before it is seen, so that no gesture is missed
      await drawn;
      await this.settle(layout);
    }

    // Plotly keeps the room of a legend that the figure before had.
    async settle({ margin, showlegend }) {
      const { _size: size } = this.place._fullLayout || {};
      if (size && margin && !showlegend && size.t !== margin.t) await window.Plotly.relayout(this.place, { "margin.t": margin.t });
    }

    listen() {
      if (this.listens) return;
      this.listens = true;
      this.place.on("plotly_relayout", (change) => this.relayout(change));
      this.place.on("plotly_click", (press) => this.pressed(press));
      this.place.addEventListener("click", (event) => this.button(event), true);
      this.place.addEventListener("pointerdown", () => this.hold());
      this.place.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
      document.addEventListener("pointermove", (event) => event.buttons === 0 && this.release()); // let go outside the page
      document.addEventListener("pointerup", () => this.release(), true);
      document.addEventListener("pointercancel", () => this.release(), true);
    }

    hold() {
      if (this.held) return;
      this.held = {};
      this.held.released = new Promise((resolve) => (this.held.release = resolve));
    }

    release() {
      const { held } = this;
      this.held = null;
      if (held) window.setTimeout(held.release, 0); // Plotly tells of a zoom after this
    }

    // Kept when no pointer is down in the chart: a figure drawn under a gesture would end it
    // unheard.
    async rest() {
      while (this.held) await this.held.released;
    }

    // Hide these series and no others, in this figure and in those to come.
    hide(groups) {
      this.hidden = new Set(groups);
      return this.meta && this.show(this.figure);
    }

    // Another view has other traces; those of this one are hidden again when it comes back. Where
    // there is no legend to press, only hide() changes what is hidden.
    keepHidden({ data, layout }) {
      const { data: drawn = [], layout: { meta } = {} } = this.place;
      for (const { legendgroup, visible } of meta && meta.series ? [] : drawn) {
        if (visible === "legendonly") this.hidden.add(legendgroup);
        else this.hidden.delete(legendgroup);
      }
      for (const trace of data) {
        if (trace.legendgroup && this.hidden.has(trace.legendgroup)) trace.visible = "legendonly";
        else if (trace.visible === "legendonly") delete trace.visible;
      }
      if (layout.meta && layout.meta.series && window.riwayatRail) window.riwayatRail.fold(data, layout);
    }

    pressed(press) {
      const point = press && press.points && press.points[0];
      if (!this.door || !point || !this.meta || !this.meta.still) return;
      const [start, end] = point.customdata || [];
      if (start < end) this.door(start, end);
    }

    // Plotly has moved the axis: that is what is wanted, but not what is drawn.
    relayout(change) {
      if (!change || !this.meta || this.meta.still) return;
      const { start: from, end: to, offset } = this.meta;
      const range = change["xaxis.range"] || [change["xaxis.range[0]"], change["xaxis.range[1]"]];
      if (range[0] !== undefined && range[1] !== undefined) {
        const [start, end] = range.map((value) => axisTime(value, offset)).sort((one, other) => one - other);
        if (Math.abs(start - from) <= 1 && Math.abs(end - to) <= 1) return; // put back
        this.want({ start, end }, 0);
      } else if (change["xaxis.autorange"]) {
        this.want(null, 0);
      } else {
        return;
      }
      window.Plotly.relayout(this.place, { "xaxis.range": [from + offset, to + offset], "xaxis.autorange": false });
    }

    // Plotly's buttons + and − start from the axis; pressed quickly they are to add up, as the keys
    // do.
    button(event) {
      const pressed = event.target.closest && event.target.closest('.modebar-btn[data-attr="zoom"]');
      if (!pressed || !this.meta) return;
      event.stopImmediatePropagation();
      this.zoom(pressed.dataset.val === "in" ? 0.5 : 2);
    }

    // The width of the place has changed.
    fit() {
      const width = this.place.clientWidth;
      if (!this.place._fullLayout || !width || Math.abs(this.place._fullLayout.width - width) <= 1) return;
      this.queue = this.queue.catch(() => null).then(() => window.Plotly.relayout(this.place, { width }));
    }
  }

  const KEYS = {
    ArrowLeft: (chart, event) => chart.pan(event.shiftKey ? -1 : -0.2),
    ArrowRight: (chart, event) => chart.pan(event.shiftKey ? 1 : 0.2),
    "+": (chart) => chart.zoom(0.5),
    "=": (chart) => chart.zoom(0.5),
    "-": (chart) => chart.zoom(2),
    _: (chart) => chart.zoom(2),
    0: (chart) => chart.want(null),
    Home: (chart) => chart.want(null),
  };

  window.riwayatView = { Chart, axisTime, load, plotlyReady, scriptReady, LEAST_MS, MARGINS_PX };
})();
