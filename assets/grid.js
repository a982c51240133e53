// What the grids of the Jobs page and the administrators' page call (layouts/jobs_grid.py,
// layouts/admin_grids.py).
(function () {
  "use strict";

  window.dashAgGridFunctions = Object.assign(window.dashAgGridFunctions || {}, {
    // The theme is made of the page's own variables (assets/riwayat.css), so light and dark need
    // nothing more.
    gridTheme: (base) =>
      base.withParams({
        backgroundColor: "var(--bs-body-bg)",
        foregroundColor: "var(--bs-body-color)",
        borderColor: "var(--bs-border-color)",
        headerBackgroundColor: "var(--panel)",
        headerTextColor: "var(--bs-secondary-color)",
        headerFontWeight: 600,
        accentColor: "var(--accent)",
        browserColorScheme: "inherit",
        fontFamily: "inherit",
        fontSize: 13,
        headerFontSize: 12,
        rowHeight: 36,
        headerHeight: 36,
        spacing: 6,
        borderRadius: 4,
        wrapperBorderRadius: 4,
        rowHoverColor: "var(--panel)",
        selectedRowBackgroundColor: "var(--accent-soft)",
        rangeSelectionBorderColor: "var(--accent)",
      }),
    // A column of the field "created_order" sorts by it and shows the text of "created".
    shownText: (params) => (params.data ? params.data[params.colDef.field.replace(/_order$/, "")] : ""),
    isRefused: (params) => Boolean(params.data && params.data.refused),
  });
})();
