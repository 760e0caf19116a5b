local guide = require "lunet.report.guide"
local guide_markdown = require "lunet.report.guide_markdown"

local EVIL <const> = "a|b<script>`[x](y)*\n"

local SECTION <const> = {
  title = "Is it?", words = "One asks.", experiment = "one", file = "experiments/one.lua", list = "rows",
  program = { "program" }, columns = { { "says", "it says", "in its log" }, { "n", "how many" } },
  hurts = { "n", function(row) return row.n end }, knobs = { server = "program" },
}

local function page_of(outcome)
  local record = { experiment = "one", verdict = "holds", knobs = { server = "all" }, outcome = outcome,
    environment = { kernel = "Linux 6", lunet = "0.1" } }
  local parts = guide.parts(outcome and { { path = "one.json", record = record } } or {}, function() return {} end,
    { SECTION })
  return guide_markdown.page(parts, guide.commands(parts))
end

describe("the field guide in Markdown", function()
  it("has a table with a row a program, and its commands", function()
    local page = page_of { rows = { { program = "redis 7", says = "full", n = 2 } } }
    for _, line in ipairs { "## Is it?", "| program | it says | how many | run it again |",
      "| redis 7 | full | 2 | [again](#again-1) |", "* *it says*: in its log",
      "[`one`](../experiments/one.lua), lunet 0.1 on Linux 6. The claim of this run: holds.",
      '* <a id="again-1"></a>redis 7: `script/run experiments/one.lua --server \'redis 7\'`' } do
      assert.is_truthy(page:find("\n" .. line .. "\n", 1, true), line)
    end
  end)

  it("says that an experiment was not run", function() assert.matches("\n%*one was not run%.%*\n", page_of()) end)

  it("escapes whatever programs say: a row stays one line, and text", function()
    local page = page_of { rows = { { program = "p", says = EVIL, n = 1 } } }
    assert.is_truthy(page:find("\n| p | a\\|b\\<script>\\`\\[x](y)\\*  | 1 | [again](#again-1) |\n", 1, true), page)
  end)
end)
