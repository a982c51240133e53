// The Jobs page: cells of its grid, its keys, and a fresh look whenever the tab is looked at again.
(function () {
  "use strict";

  const cells = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  const make = (...parts) => window.React.createElement(...parts);

  cells.JobStatus = function (props) {
    const job = props.data || {};
    const bar = job.fraction === null || job.fraction === undefined ? null : make("progress", { value: job.fraction, max: 1, "aria-hidden": true });
    return make("span", { className: `job-status job-${job.status}` }, make("span", null, job.status_words), bar);
  };

  cells.JobData = function (props) {
    const job = props.data || {};
    return make("a", { className: "job-data", href: job.open, title: `${job.stations} · ${job.sensors}`, tabIndex: -1, ...(job.is_file ? props.workbook : {}) },
      make("span", null, job.stations), make("small", null, job.sensors));
  };

  cells.JobActions = function (props) {
    const job = props.data || {};
    const words = props.words;
    // Not the grid's own cellRendererData: once set, AG Grid complains of it as an option that it
    // does not know.
    const press = (name) => (event) => {
      event.stopPropagation();
      window.dash_clientside.set_props("jobs-press", { data: { job: job.id, name: name, at: Date.now() } });
    };
    const button = (name) => make("button", { type: "button", className: "cell-action", tabIndex: -1, "data-act": name, onClick: press(name) }, words[name]);
    const link = (name, title) => make("a", { className: "cell-action", href: job[name], tabIndex: -1, title: title }, words[name]);
    const open = job.is_file ? make("a", { className: "cell-action", href: job.open, tabIndex: -1, ...props.workbook }, words.download) : link("open");
    return make("span", { className: "cell-actions" },
      open, job.can_cancel ? button("cancel") : null, job.can_retry ? button("retry") : null, link("repeat", props.repeatTitle));
  };

  // Enter on a cell opens the job; on the actions it steps into them: Tab and arrows move, Escape
  // goes back.
  function enter(cell) {
    const actions = cell.querySelectorAll(".cell-action");
    const target = actions.length ? actions[0] : cell.closest(".ag-row").querySelector(".job-data");
    if (actions.length) target.focus();
    else if (target) target.click();
  }

  function step(action, key) {
    const all = [...action.parentElement.children];
    const next = all[all.indexOf(action) + (key === "ArrowLeft" ? -1 : 1)];
    if (next) next.focus();
  }

  document.addEventListener("keydown", (event) => {
    const grid = event.target.closest && event.target.closest("#jobs-grid");
    if (event.key === "Escape" && document.querySelector("#job-details > *") && !grid) document.querySelector(".details-close").click();
    if (!grid) return;
    const action = event.target.closest(".cell-action");
    const cell = event.target.closest(".ag-cell");
    if (!cell) return;
    if (action) {
      event.stopPropagation();
      if (event.key === "Escape") cell.focus();
      if (["ArrowLeft", "ArrowRight"].includes(event.key)) { event.preventDefault(); step(action, event.key); }
    } else if (event.key === "Enter") {
      event.stopPropagation();
      event.preventDefault();
      enter(cell);
    }
  }, true);

  document.addEventListener("visibilitychange", () => {
    const page = document.getElementById("jobs-table");
    if (page && document.visibilityState === "visible") window.dash_clientside.set_props("jobs-done", { data: Date.now() });
  });

  window.dash_clientside = Object.assign(window.dash_clientside || {}, {
    jobs: {
      close: function () {
        const context = window.dash_clientside.callback_context;
        const pressed = context.triggered_id && context.triggered_id.name === "close" && context.triggered[0].value;
        return pressed ? [] : window.dash_clientside.no_update;
      },
    },
  });
})();
