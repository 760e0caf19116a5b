-- Every text of a report stands out from the paper, in light and in dark: WCAG 2 wants a contrast of 4.5 to 1.
local browser = require "spec.support.browser"
local events = require "spec.support.events"
local page = require "lunet.report.page"
local plot = require "lunet.text.plot"
local scratch = require "lunet.peer.scratch"

-- Texts in bars have another ground than the paper.
local SCRIPT <const> = [==[<script>
  const channel = v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = color => {
    const [r, g, b] = color.match(/[\d.]+/g).map(Number);
    return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  };
  const contrast = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
  document.querySelectorAll("details").forEach(folded => { folded.open = true; });
  const paper = getComputedStyle(document.body).backgroundColor, texts = [...document.querySelectorAll("svg text")];
  const pale = new Set(), inks = [[texts, "fill"], [document.querySelectorAll("h1, h2, p, td, th, a, pre"), "color"]];
  inks.forEach(([elements, ink]) => elements.forEach(element => {
    if (element.closest(".spell") && element.matches(".middle")) return;
    const color = getComputedStyle(element)[ink];
    if (contrast(color, paper) < 4.5) pale.add(`${element.outerHTML.slice(0, 60)}: ${color}`);
  }));
  document.body.dataset.said = [paper, texts.length > 300, pale.size, ...pale].slice(0, 5).join(" | ");
</script></body>]==]

describe("the texts of a report", function()
  local place, browse, refused

  setup(function()
    place = scratch.open()
    browse, refused = browser.open(place)
    local run = events.run(300)
    run.knobs, run.values = { { name = "k", unit = "s", meaning = "a knob" } }, { k = 1 }
    run.plot = plot.line { x = { 1, 2 }, series = { a = { 1, 2 }, b = { 2, 1 } }, xlabel = "x", ylabel = "y" }
    place:write("p.html", (page.html(run):gsub("</body>", function() return SCRIPT end)))
  end)
  teardown(function() place:close() end)

  for name, paper in pairs { dark = { 0, "rgb(21, 24, 28)" }, light = { 1, "rgb(255, 255, 255)" } } do
    it("stand out from the paper in the " .. name, function()
      if refused then return pending(refused) end
      local dom, errors = browse(("--blink-settings=preferredColorScheme=%d --dump-dom 'file://%s/p.html'"):format(
        paper[1], place.path))
      assert.equal(paper[2] .. " | true | 0", dom:match 'data%-said="([^"]*)"', errors)
    end)
  end
end)
