// The brush on the overview, which shows and chooses the window. It comes with the first chart
// (chart.js).
(function () {
  "use strict";

  const chart = () => window.riwayatChart.chart;
  const overview = () => document.querySelector("#overview .js-plotly-plot");

  // The overview lies under the plot, however much room the plot's labels take.
  function align() {
    const strip = overview();
    const plot = chart() && chart().place._fullLayout;
    if (!plot || !strip || !strip._fullLayout) return;
    const { margin } = strip._fullLayout;
    const { l, r } = plot._size;
    if (Math.abs(margin.l - l) < 1 && Math.abs(margin.r - r) < 1) return;
    window.Plotly.relayout(strip, { "margin.l": l, "margin.r": r }).then(paint);
  }

  function seen() {
    align();
    paint();
  }

  // Dash draws it some time after its figure came, and again when its width changes.
  function drawn() {
    const strip = overview();
    if (!strip || !strip.on) {
      window.requestAnimationFrame(drawn);
      return;
    }
    strip.removeListener("plotly_afterplot", seen);
    strip.on("plotly_afterplot", seen);
    seen();
  }

  function track() {
    const strip = overview();
    const size = strip && strip._fullLayout && strip._fullLayout._size;
    return size ? { left: size.l, width: size.w, height: size.h + size.t } : null;
  }

  function paint() {
    const brush = document.getElementById("overview-brush");
    const area = track();
    if (!brush || !area || !chart() || !chart().meta) {
      if (brush) brush.hidden = true;
      return;
    }
    const { whole, seen: shown } = chart();
    const scale = area.width / (whole.end - whole.start);
    brush.hidden = false;
    brush.style.left = `${area.left + (shown.start - whole.start) * scale}px`;
    brush.style.width = `${Math.max(3, (shown.end - shown.start) * scale)}px`;
    brush.style.height = `${area.height}px`;
  }

  function begin(event) {
    const frame = event.target.closest && event.target.closest("#overview-frame");
    const area = track();
    const drawnChart = chart();
    if (!frame || !area || !drawnChart || !drawnChart.meta || event.button !== 0) return;
    const { whole } = drawnChart;
    const least = window.riwayatView.LEAST_MS;
    const left = frame.getBoundingClientRect().left + area.left;
    const timeAt = (x) => whole.start + ((x - left) / area.width) * (whole.end - whole.start);
    const part = (event.target.dataset && event.target.dataset.part) || "new";
    const grab = {
      part: part === "middle" && !drawnChart.window ? "new" : part,
      time: timeAt(event.clientX),
      from: drawnChart.seen,
      x: event.clientX,
    };
    frame.setPointerCapture(event.pointerId);
    event.preventDefault();

    function move(moved) {
      if (Math.abs(moved.clientX - grab.x) < 3 && !grab.moved) return;
      grab.moved = true;
      const time = timeAt(moved.clientX);
      const { start, end } = grab.from;
      if (grab.part === "middle") drawnChart.want({ start: start + time - grab.time, end: end + time - grab.time });
      if (grab.part === "start") drawnChart.want({ start: Math.min(time, end - least), end });
      if (grab.part === "end") drawnChart.want({ start, end: Math.max(time, start + least) });
      if (grab.part === "new") drawnChart.want({ start: Math.min(time, grab.time), end: Math.max(time, grab.time) });
    }

    function stop() {
      frame.removeEventListener("pointermove", move);
      frame.removeEventListener("pointerup", stop);
      frame.removeEventListener("pointercancel", stop);
    }

    frame.addEventListener("pointermove", move);
    frame.addEventListener("pointerup", stop);
    frame.addEventListener("pointercancel", stop);
  }

  document.addEventListener("pointerdown", begin);
  document.addEventListener("dblclick", function (event) {
    if (event.target.closest && event.target.closest("#overview-frame") && chart()) chart().want(null);
  });

  window.riwayatBrush = { align, drawn, paint };
})();
