// The table of rows: a grid that fetches what is looked at. It comes with the first table, and each
// answer that is drawn tells it what to show (layouts/table.py); the grid itself is Dash's.
//
// The server counts rows for a moment with each answer. So an answer may have fewer rows than were
// asked for, and the number of all comes later: this asks on until it knows.
(function () {
  "use strict";

  const AGAIN_MS = 1000;
  const LAST_AGAIN_MS = 30000;
  const PASSES = new Set([408, 425, 429, 500, 502, 503, 504]); // worth another try
  const GRID_MS = 50;
  const TIME = "time";
  const heard = new WeakSet(); // grids
  let run = null; // what is shown: {told, grid, stop, total, counted, counts, sort}

  const pause = (ms) => new Promise((resolve) => window.setTimeout(resolve, ms));
  const digits = (count) => String(count).replace(/\B(?=(\d{3})+$)/g, run.told.thousands);

  function say(text, wrong = false) {
    const line = document.querySelector(".table-said");
    if (!line) return;
    if (line.textContent !== text) line.textContent = text;
    line.classList.toggle("table-wrong", wrong);
  }

  // ---- rows ---------------------------------------------------------------------------------------

  // One part of the rows; null where the server refuses to give it, and says why.
  async function ask(mine, query) {
    const { rows, options } = mine.told;
    const asked = new URLSearchParams(query);
    for (const name of ["where", "flagged"]) if (options[name]) asked.set(name, options[name]);
    const headers = { Accept: "application/json", "Accept-Language": document.documentElement.lang };
    for (let waitMs = AGAIN_MS; ; waitMs = Math.min(2 * waitMs, LAST_AGAIN_MS)) {
      try {
        const answer = await window.fetch(`${rows}&${asked}`, { headers, signal: mine.stop.signal });
        const found = PASSES.has(answer.status) ? null : await answer.json();
        if (answer.ok) return found;
        if (found) return void (mine === run && say(found.error.message, true));
      } catch (error) {
        if (mine.stop.signal.aborted) throw error;
      }
      if (mine === run) say(mine.told.words.again, true);
      await pause(waitMs);
    }
  }

  // What an answer says of all rows.
  function count(mine, { total, counted }) {
    if (mine !== run) return;
    const first = mine.total === null && total !== null;
    Object.assign(mine, { total, counted });
    tell(mine);
    if (first && total > 0) mine.grid.setRowCount(total, true);
  }

  function tell(mine) {
    const { total, counted } = mine;
    const { words, byValue } = mine.told;
    if (total === null) return say(words.counting.replace("{count}", digits(counted)));
    const chosen = mine.grid.getSelectedNodes().length;
    const parts = [total === 0 ? words.none : words.rows.replace("{count}", digits(total))];
    if (chosen) parts.push(words.chosen.replace("{count}", digits(chosen)));
    else if (!byValue) parts.push(words.byTime);
    say(parts.join(" · "));
  }

  // The number of all rows is known when they are counted, whoever asks.
  async function countOn(mine) {
    if (mine.counts) return;
    mine.counts = true;
    while (mine.total === null) {
      const answer = await ask(mine, { limit: 1, sort: mine.sort });
      if (!answer) return;
      count(mine, answer);
    }
  }

  async function fetchRows(mine, wanted) {
    const [order] = wanted.sortModel;
    mine.sort = order ? `${order.sort === "desc" ? "-" : ""}${order.colId}` : TIME;
    const rows = [];
    for (;;) {
      const offset = wanted.startRow + rows.length;
      const answer = await ask(mine, { offset, limit: wanted.endRow - offset, sort: mine.sort });
      if (!answer) return wanted.successCallback([], wanted.startRow);
      count(mine, answer);
      rows.push(...answer.rows);
      if (wanted.startRow + rows.length >= (answer.total === null ? wanted.endRow : Math.min(wanted.endRow, answer.total))) break;
    }
    wanted.successCallback(rows, mine.total === null ? undefined : mine.total);
    countOn(mine).catch(() => null);
  }

  function source(mine) {
    return { getRows: (wanted) => fetchRows(mine, wanted).catch(() => wanted.failCallback()) };
  }

  // Show the row of a time, as the field says it.
  async function go(mine, at) {
    for (;;) {
      const answer = await ask(mine, { at, limit: 1, sort: mine.told.options.sort || TIME }).catch(() => null);
      if (!answer || mine !== run) return;
      count(mine, answer);
      if (answer.offset === null) continue;
      const row = Math.max(0, Math.min(answer.offset, answer.total === null ? answer.offset : answer.total - 1));
      if (mine.grid.getDisplayedRowCount() <= row) mine.grid.setRowCount(row + 1, false);
      mine.grid.ensureIndexVisible(row, "top");
      mine.grid.setFocusedCell(row, TIME);
      return;
    }
  }

  // The rows that are chosen, as a spreadsheet takes them; a text that is selected is copied as it is.
  function copy(event) {
    const nodes = run && run.grid ? run.grid.getSelectedNodes() : [];
    const inside = event.target.closest && event.target.closest(".table-grid");
    if (!inside || !nodes.length || String(window.getSelection())) return;
    const { words, columns: found } = run.told;
    const heads = [words.time, words.offset, ...found.map(({ station, label }) => `${station} · ${label}`)];
    const lines = nodes
      .sort((one, other) => one.rowIndex - other.rowIndex)
      .map(({ data }) => [...local(data), ...data.values.map((value) => written(value, 0))]);
    event.clipboardData.setData("text/plain", [heads, ...lines].map((cells) => cells.join("\t")).join("\n"));
    event.preventDefault();
  }

  // ---- columns ------------------------------------------------------------------------------------

  // A number as the file has it, with at least the digits that the sensor is shown with.
  function written(value, decimals) {
    if (value === null || value === undefined) return "";
    const text = String(value);
    if (text.includes("e")) return text.replace(".", run.told.decimal);
    const [whole, part = ""] = text.split(".");
    const shown = part.padEnd(decimals, "0");
    return shown ? whole + run.told.decimal + shown : whole;
  }

  const local = (row) => (row ? row.local.replace("T", " ").split(/(?=[+-]\d\d:\d\d(?::\d\d)?$)/) : ["", ""]);

  function columns({ columns: found, words, byValue }) {
    const isFlagged = (row, number) => Boolean(row && row.flagged.includes(number));
    const time = { colId: TIME, headerName: words.time, headerTooltip: words.zone, pinned: "left", lockPinned: true, width: 168, sortable: true };
    const offset = { colId: "offset", headerName: words.offset, wrapHeaderText: true, width: 84, sortable: false };
    return [
      { ...time, valueGetter: ({ data }) => local(data)[0], cellClass: "table-time" },
      { ...offset, valueGetter: ({ data }) => local(data)[1], cellClass: "table-offset" },
      ...found.map(({ id, station, label, decimals }, number) => ({
        colId: id,
        headerName: `${station} · ${label}`,
        headerTooltip: byValue ? `${station} · ${label}` : words.byTime,
        wrapHeaderText: true,
        autoHeaderHeight: true,
        type: "rightAligned",
        minWidth: 112,
        flex: 1,
        sortable: byValue,
        valueGetter: ({ data }) => (data ? data.values[number] : null),
        valueFormatter: ({ value, data }) => written(value, decimals) + (isFlagged(data, number) ? " ⚑" : ""),
        cellClassRules: { "table-flagged": ({ data }) => isFlagged(data, number) },
      })),
    ];
  }

  // ---- what is shown ------------------------------------------------------------------------------

  const top = (grid) => grid.getDisplayedRowCount() && grid.ensureIndexVisible(0, "top");

  // A press of a column's head is another selection.
  function sorted(mine) {
    const column = mine.grid.getColumnState().find(({ sort }) => sort);
    const sort = column ? `${column.sort === "desc" ? "-" : ""}${column.colId}` : TIME;
    const { at, ...options } = mine.told.options;
    if (sort === (options.sort || TIME)) return;
    top(mine.grid);
    mine.told.options = { ...options, ...(sort.endsWith(TIME) && at ? { at } : {}), sort };
    window.riwayatWorkbench.show("table", mine.told.options);
    window.riwayatChart.choose("table", mine.told.options);
  }

  function order(grid, sort = TIME) {
    const column = { colId: sort.replace(/^-/, ""), sort: sort.startsWith("-") ? "desc" : "asc" };
    grid.applyColumnState({ state: [column], defaultState: { sort: null } });
  }

  const question = ({ grid, rows, options }) => JSON.stringify([grid, rows, options.where, options.flagged, options.sort || TIME]);

  // The grid, when Dash has made it and given it a source of rows, which ours replaces; one that it
  // made before may be gone. Null when something else is shown meanwhile.
  async function made(mine) {
    while (mine === run) {
      const grid = await window.dash_ag_grid.getApiAsync(mine.told.grid);
      if (!grid.isDestroyed() && grid.getGridOption("datasource")) return grid;
      await pause(GRID_MS);
    }
    return null;
  }

  // A grid tells whatever is shown in it; many a question has the same one.
  function hear(grid) {
    if (heard.has(grid)) return;
    heard.add(grid);
    const tells = (listener) => () => run && run.grid === grid && listener(run);
    grid.addEventListener("sortChanged", tells(sorted));
    grid.addEventListener("selectionChanged", tells(tell));
  }

  async function begin(mine) {
    mine.grid = await made(mine);
    if (mine !== run) return;
    hear(mine.grid);
    mine.grid.setGridOption("columnDefs", columns(mine.told));
    order(mine.grid, mine.told.options.sort);
    mine.grid.setGridOption("datasource", source(mine));
    if (mine.told.options.at) go(mine, mine.told.options.at);
    else top(mine.grid);
  }

  function show(told) {
    const before = run;
    if (before && told && question(before.told) === question(told)) {
      const goes = told.options.at && told.options.at !== before.told.options.at;
      before.told = told;
      if (goes && before.grid) go(before, told.options.at);
      return;
    }
    if (before) before.stop.abort();
    run = told && { told, grid: null, stop: new AbortController(), total: null, counted: 0, counts: false, sort: TIME };
    if (run) begin(run);
  }

  document.addEventListener("copy", copy);
  window.riwayatTable = { show };
})();
