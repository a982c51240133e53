// Plotly's words and dates in Indonesian; Plotly picks it up when it loads (dcc.Graph config:
// locale = "id").
(function () {
  "use strict";
  const locale = {
    moduleType: "locale",
    name: "id",
    dictionary: {
      Autoscale: "Skala otomatis",
      "Box Select": "Pilih kotak",
      "Double-click to zoom back out": "Klik dua kali untuk kembali",
      "Double-click on legend to isolate one trace": "Klik dua kali pada legenda untuk menampilkan satu deret saja",
      "Download plot as a PNG": "Unduh gambar PNG",
      "Download plot": "Unduh gambar",
      Pan: "Geser",
      Reset: "Kembalikan",
      "Reset axes": "Kembalikan sumbu",
      Zoom: "Perbesar",
      "Zoom in": "Perbesar",
      "Zoom out": "Perkecil",
    },
    format: {
      days: ["Minggu", "Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu"],
      shortDays: ["Min", "Sen", "Sel", "Rab", "Kam", "Jum", "Sab"],
      months: [
        "Januari", "Februari", "Maret", "April", "Mei", "Juni",
        "Juli", "Agustus", "September", "Oktober", "November", "Desember",
      ],
      shortMonths: ["Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des"],
      date: "%d/%m/%Y",
      decimal: ",",
      thousands: "\u202f",
    },
  };
  if (window.Plotly) {
    window.Plotly.register(locale);
  } else {
    window.PlotlyLocales = window.PlotlyLocales || [];
    window.PlotlyLocales.push(locale);
  }
})();
