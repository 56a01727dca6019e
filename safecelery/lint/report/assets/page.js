"use strict";
(function () {
  const $ = (id) => document.getElementById(id);
  const all = (selector, root) => Array.from((root || document).querySelectorAll(selector));

  // The theme: the system's until the button is used.
  const root = document.documentElement;
  const button = $("theme");
  const dark = () => root.dataset.theme
    ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const label = () => { button.textContent = dark() ? "Light theme" : "Dark theme"; };
  try { const kept = localStorage.getItem("safecelery-theme"); if (kept) root.dataset.theme = kept; } catch (_) { /* a file: page may have no storage */ }
  button.hidden = false;
  label();
  button.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    try { localStorage.setItem("safecelery-theme", root.dataset.theme); } catch (_) { /* as above */ }
    label();
  });

  // A family's heading spans the rules that are shown.
  const table = $("matrix");
  const kept = $("show-kept");
  const span = () => all(".families th[data-all]").forEach((th) => {
    th.colSpan = Math.max(1, Number(kept && kept.checked ? th.dataset.all : th.dataset.met));
  });
  if (table) { span(); if (kept) kept.addEventListener("change", span); }

  // Filters.
  const form = $("filters");
  const fields = ["text", "file", "app", "severity", "rule"];
  const value = (name) => { const field = $("f-" + name); return field ? field.value : ""; };
  const cards = all(".finding").map((element) => ({ element, text: element.textContent.toLowerCase(), data: element.dataset }));
  const rows = table ? all("tbody tr", table) : [];
  const apply = () => {
    const want = Object.fromEntries(fields.map((name) => [name, value(name)]));
    const text = want.text.trim().toLowerCase();
    let shown = 0;
    const live = new Set();
    for (const { element, text: own, data } of cards) {
      const fits = (!text || own.includes(text)) && ["file", "app", "severity", "rule"].every((n) => !want[n] || data[n] === want[n]);
      element.classList.toggle("off", !fits);
      if (fits) { shown += 1; live.add(element.id); }
    }
    all("section.file").forEach((section) => section.classList.toggle("off", !section.querySelector(".finding:not(.off)")));
    const narrowed = want.severity || want.rule;
    for (const row of rows) {
      const fits = (!want.file || row.dataset.file === want.file) && (!want.app || row.dataset.app === want.app)
        && (!text || row.dataset.name.toLowerCase().includes(text) || row.dataset.file.toLowerCase().includes(text))
        && (!narrowed || all("td a", row).some((a) => live.has(a.hash.slice(1))));
      row.classList.toggle("off", !fits);
    }
    $("shown").textContent = shown === cards.length ? "" : "Showing " + shown + " of " + cards.length + ".";
  };
  const sort = () => {
    const by = value("sort");
    const key = {
      worst: (a, b) => b.dataset.e - a.dataset.e || b.dataset.w - a.dataset.w || a.dataset.row - b.dataset.row,
      name: (a, b) => a.dataset.name.localeCompare(b.dataset.name),
      file: (a, b) => a.dataset.row - b.dataset.row,
    }[by];
    const body = table && table.tBodies[0];
    if (body && key) body.append(...rows.slice().sort(key));
  };
  form.hidden = false;
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { apply(); sort(); }));
  const order = $("f-sort");
  if (order) order.addEventListener("change", sort);

  // A link to what a filter hides, or what is folded away, shows it.
  const reveal = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (target.closest(".off")) form.reset();
    const fold = target.closest("details");
    if (fold) fold.open = true;
    setTimeout(() => { target.scrollIntoView({ block: "center" }); target.focus({ preventScroll: true }); });
  };
  addEventListener("hashchange", reveal);
  reveal();

  // The matrix by arrow keys, and the column under the pointer.
  if (table) {
    table.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
      let cell = event.target.closest("td");
      if (!step || !cell) return;
      event.preventDefault();
      const shown = all("tbody tr:not(.off)", table);
      let row = shown.indexOf(cell.parentElement);
      let column = cell.cellIndex;
      for (;;) {
        row += step[0];
        column += step[1];
        cell = shown[row] && shown[row].cells[column];
        if (!cell || cell.tagName !== "TD") return;
        const link = cell.querySelector("a");
        if (link && cell.offsetParent) { link.focus(); return; }
      }
    });
    let lit = -1;
    const light = (column) => {
      if (column === lit) return;
      rows.forEach((row) => {
        if (lit > 0 && row.cells[lit]) row.cells[lit].classList.remove("col");
        if (column > 0 && row.cells[column]) row.cells[column].classList.add("col");
      });
      lit = column;
    };
    table.addEventListener("mouseover", (event) => { const td = event.target.closest("td"); light(td ? td.cellIndex : -1); });
    table.addEventListener("mouseleave", () => light(-1));
  }
})();
