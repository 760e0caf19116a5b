--- A field that filters the rows of a page's tables, by keyboard, too: "/" goes to it, Escape clears it. Without
--- JavaScript the page has all rows and no field.
local markup = require "lunet.text.markup"

local filter = {}

local element, escape = markup.element, markup.escape

filter.css = [[
.filter { position: sticky; top: 0; z-index: 2; background: var(--paper); padding: 8px 0; margin: 16px 0;
  max-width: none; border-bottom: 1px solid var(--line); }
.filter[hidden] { display: none; }
.filter input { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--quiet);
  border-radius: 4px; padding: 4px 8px; width: 16em; max-width: 100%; }
.filter input:focus { outline: 2px solid var(--accent); outline-offset: 1px; }
.filter output { color: var(--quiet); font-size: 13px; margin-left: 10px; }
kbd { font: 12px ui-monospace, "Liberation Mono", monospace; border: 1px solid var(--line); border-radius: 3px;
  padding: 0 4px; }
@media print { .filter { display: none; } }
]]

--- The field.
---@param words string what it filters by
---@return string markup
function filter.html(words)
  return element("p", { class = "filter", hidden = "hidden" }, element("label", {}, escape(words)
    .. ': <input type="search" id="filter" autocomplete="off" spellcheck="false">')
    .. '\n<output id="found" for="filter"></output> '
    .. '<span class="quiet"><kbd>/</kbd> begins, <kbd>Esc</kbd> clears</span>')
end

--- JavaScript: filterRows(rows, wordsOf) has the field filter rows by what wordsOf(row) returns. Meanwhile the page's
--- body has the class "filtering".
filter.script = [[
const filterRows = (rows, wordsOf) => {
  const field = document.getElementById("filter"), found = document.getElementById("found");
  const known = new Map(), folded = rows[0]?.closest("details");
  const wordsOnce = row => {
    if (!known.has(row)) known.set(row, wordsOf(row).toLowerCase());
    return known.get(row);
  };
  const apply = () => {
    const wanted = field.value.trim().toLowerCase();
    let shown = 0;
    rows.forEach(row => {
      row.hidden = wanted !== "" && !wordsOnce(row).includes(wanted);
      if (!row.hidden) shown += 1;
    });
    document.body.classList.toggle("filtering", wanted !== "");
    if (wanted && folded) folded.open = true;
    found.textContent = wanted ? `${shown} of ${rows.length} rows` : "";
  };
  field.addEventListener("input", apply);
  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "/" && document.activeElement !== field) {
      event.preventDefault();
      field.focus();
      field.select();
    } else if (event.key === "Escape" && document.activeElement === field) {
      field.value = "";
      apply();
      field.blur();
    }
  });
  field.closest(".filter").hidden = false;
  apply(); // a browser may keep the word when the page is loaded again
};
]]

return filter
