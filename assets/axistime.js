// Times of a figure's axis: the wall clock of the request's zone, one offset a figure (layout.meta.offset), so the way back is exact.
(function () {
  "use strict";

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

  window.riwayatAxisTime = axisTime;
})();
