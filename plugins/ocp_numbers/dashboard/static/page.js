// What a page does beyond being read: its charts are drawn from the tables beside them, so both always say the same.
(() => {
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  // Plotly reads a little markup in labels; a name from outside is a text.
  const plain = (text) => text.trim().replace(/&/g, "&amp;").replace(/</g, "&lt;");
  const value = (cell) => cell.dataset.value ?? cell.textContent;

  const read = (table) => {
    const heads = [...table.tHead.rows[0].cells].slice(1).filter((cell) => !("sum" in cell.dataset));
    const rows = [...table.tBodies[0].rows];
    return {
      x: rows.map((row) => value(row.cells[0])),
      series: heads.map((head, place) => ({
        name: plain(head.textContent),
        y: rows.map((row) => Number(value(row.cells[place + 1]))),
      })),
    };
  };

  const DAY = 24 * 60 * 60 * 1000;
  const MONTH = 30.4 * DAY;
  const PALETTE = ["--chart-1", "--chart-2", "--chart-3", "--chart-4", "--chart-5", "--chart-6", "--chart-7", "--chart-8"];

  const KINDS = {
    line: (each, color, place) => ({
      type: "scatter", mode: each.y.length > 40 ? "lines" : "lines+markers", line: { color, width: 2.5, shape: "linear" },
      marker: { size: 6 }, hovertemplate: "%{y:,}<extra>%{fullData.name}</extra>", opacity: place ? 0.8 : 1,
    }),
    flow: (each, color, place) => ({
      type: "bar", width: 0.7 * DAY, marker: { color: css(place ? "--bad" : "--good") }, customdata: each.y.map(Math.abs),
      hovertemplate: "%{customdata:,}<extra>%{fullData.name}</extra>",
    }),
    stack: (each, color) => ({ type: "bar", width: 0.5 * MONTH, marker: { color }, hovertemplate: "%{y:,}<extra>%{fullData.name}</extra>" }),
    bars: (each, color) => ({ type: "bar", width: 0.7 * DAY, marker: { color }, hovertemplate: "%{y:,}<extra></extra>" }),
  };

  // A few bars keep their width: the axis is never shorter than this many of them, towards the past, or what is to come.
  const SLOTS = { stack: [MONTH, 6, -1], flow: [DAY, 8, -1], bars: [DAY, 8, 1] };
  const range = (kind, x) => {
    const [slot, least, ahead] = SLOTS[kind] ?? [DAY, 0, 1];
    const first = Date.parse(x[0]), last = Date.parse(x[x.length - 1]);
    const span = last - first + slot, missing = Math.max(0, least * slot - span);
    if (!missing) return {};
    return { range: [first - slot / 2 - (ahead < 0 ? missing : 0), last + slot / 2 + (ahead > 0 ? missing : 0)] };
  };

  const draw = (figure) => {
    const kind = figure.dataset.chart;
    const { x, series } = read(figure.querySelector("table"));
    const traces = series.map((each, place) => ({ x, y: each.y, name: each.name, ...KINDS[kind](each, css(PALETTE[place]), place) }));
    const ink = css("--soft"), rule = css("--rule");
    const axis = { gridcolor: rule, zerolinecolor: rule, linecolor: rule, fixedrange: false, automargin: true };
    const few = x.length < 8;
    const layout = {
      height: 260, margin: { l: 8, r: 8, t: 8, b: 8 }, paper_bgcolor: "transparent", plot_bgcolor: "transparent",
      font: { color: ink, family: css("--font"), size: 12 }, hovermode: "x unified",
      hoverlabel: { bgcolor: css("--card"), bordercolor: rule, font: { color: css("--ink") } },
      barmode: kind === "stack" || kind === "flow" ? "relative" : "group", bargap: 0.4,
      showlegend: traces.length > 1, legend: { orientation: "h", y: -0.2 },
      xaxis: { ...axis, ...range(kind, x), type: "date", showgrid: false, hoverformat: kind === "stack" ? "%b %Y" : "%-d %b %Y",
        ...(kind === "stack" ? { dtick: "M1", tickformat: "%b %Y" } : few ? { tickvals: x, tickformat: "%-d %b" } : { tickformat: "%-d %b" }) },
      yaxis: { ...axis, separatethousands: true, rangemode: kind === "line" ? "normal" : "tozero" },
    };
    window.Plotly.react(figure.querySelector(".plot"), traces, layout, { displayModeBar: false, responsive: true });
  };

  const charts = [...document.querySelectorAll("figure.chart")];
  const drawAll = () => { if (window.Plotly) charts.forEach(draw); };
  if (charts.length && !window.Plotly) {
    for (const figure of charts) {
      figure.querySelector(".plot").hidden = true;
      figure.querySelector("details").open = true;
    }
  }
  drawAll();
  document.addEventListener("theme", drawAll);

  // Inside Airflow the page stands in a frame that may not steer the window. Its own links may: one is lent to ours.
  const framed = window.parent !== window;
  document.querySelectorAll("a.inside").forEach((link) => { link.hidden = framed; });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-airflow-link]");
    if (!link || !framed || event.ctrlKey || event.metaKey || event.button) return;
    try {
      const lent = window.parent.document.createElement("a");
      lent.href = link.href;
      lent.click();
      event.preventDefault();
    } catch { /* another origin: the link opens here */ }
  });

  document.addEventListener("click", (event) => {
    document.querySelectorAll("details.menu[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && document.querySelector("details.menu[open]");
    if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
  });
})();
