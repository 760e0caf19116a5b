--- The keyboard control of a report. The arrow keys walk through the marks of a diagram. Enter goes from a mark to its
--- row in the table of events, and back. The bottom of the window shows the words of the mark in use.
local filter = require "lunet.report.filter"

return filter.script .. [[
(() => {
  const detail = document.getElementById("detail"), links = new Map();
  document.querySelectorAll("#events a").forEach(link => {
    const id = link.getAttribute("href").slice(1);
    if (!links.has(id)) links.set(id, link);
  });
  const rowOf = mark => links.get(mark.id)?.closest("tr");
  const titleOf = mark => mark.querySelector("title")?.textContent ?? "";
  const wordsOf = mark => {
    const row = rowOf(mark), cells = row ? [...row.cells].map(cell => cell.textContent) : [];
    const said = cells.length ? `${cells[0]} ms  ${cells.slice(1).filter(text => text).join("  ")}` : "";
    return [said, titleOf(mark)].filter(text => text).join("\n");
  };
  const show = mark => { detail.textContent = mark ? wordsOf(mark) : ""; };
  const numberOf = mark => Number(mark.id.split("-")[1]);
  const enter = mark => { // only marks that the reader comes to can have the focus
    mark.setAttribute("tabindex", "-1");
    mark.setAttribute("role", "img");
    mark.setAttribute("aria-label", wordsOf(mark));
    mark.focus();
    show(mark);
  };

  document.querySelectorAll(".frame").forEach(frame => {
    const marks = [...frame.querySelectorAll(".marks > g")].sort((a, b) => numberOf(a) - numberOf(b));
    let at = -1;
    const go = to => {
      at = Math.max(0, Math.min(marks.length - 1, to));
      if (marks[at]) enter(marks[at]);
    };
    const moves = { ArrowDown: () => at + 1, ArrowRight: () => at + 1, ArrowUp: () => at - 1, ArrowLeft: () => at - 1,
      Home: () => 0, End: () => marks.length - 1 };
    frame.addEventListener("keydown", event => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      const here = marks.indexOf(event.target); // a window in the background has not heard of the focus
      if (here >= 0) at = here;
      if (event.key === "Escape") { frame.focus(); show(); return; }
      if (event.key === "Enter" && marks[at]) {
        const link = links.get(marks[at].id);
        if (!link) return;
        link.closest("details").open = true;
        link.focus();
        show();
        return;
      }
      if (!moves[event.key]) return;
      event.preventDefault();
      go(moves[event.key]());
    });
    // A window in the background reports no focus, so enter() shows the words in any case.
    frame.addEventListener("focusin", event => {
      const found = marks.indexOf(event.target);
      if (found >= 0) { at = found; show(marks[at]); }
    });
    frame.addEventListener("focusout", () => show());
    frame.addEventListener("mouseover", event => {
      const mark = event.target.closest(".marks > g");
      if (mark) show(mark); else if (!frame.contains(document.activeElement)) show();
    });
    frame.addEventListener("mouseleave", () => { if (!frame.contains(document.activeElement)) show(); });
  });

  document.getElementById("events").addEventListener("click", event => {
    const link = event.target.closest("a"), mark = link && document.getElementById(link.getAttribute("href").slice(1));
    if (!mark) return;
    event.preventDefault();
    const folded = mark.closest("details");
    if (folded) folded.open = true; // Chromium unfolds the target of an address itself
    location.hash = mark.id; // so that the browser's way back leads to the row
    enter(mark);
    mark.scrollIntoView({ block: "center", inline: "center" });
  });

  filterRows([...document.querySelectorAll("#events tbody tr:not(.gap)")], row => {
    const mark = document.getElementById(row.querySelector("a")?.getAttribute("href").slice(1) ?? "");
    return row.textContent + " " + (mark ? titleOf(mark) : "");
  });
})();
]]
