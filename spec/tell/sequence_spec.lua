local run_of = require("lunet.run.run").of
local sequence = require "lunet.tell.sequence"
local text = require "lunet.text.width"

local HOSTS = { "A", "server", "B", "C", "D" }

-- Draws lines as if they were those of a run in which these hosts listen.
local function draw_for(listeners, lines, style)
  local events = {}
  for i, host in ipairs(listeners) do events[i] = { kind = "listen", at = 0, host = host } end
  return sequence.draw(run_of { hosts = HOSTS, events = events, rows = function() return lines end }, style)
end

local function draw(lines, style) return draw_for({ 2 }, lines, style) end

local STORY = {
  { at = 0, host = 2, who = "server", what = "listens, backlog 1", queue = "0/1" },
  { at = 0.001, host = 1, to_host = 2, who = "A", whom = "server", segment = "SYN", arrived = 0.001 },
  { at = 0.002, host = 2, to_host = 1, who = "server", whom = "A", segment = "SYN-ACK", arrived = 0.002 },
  { at = 0.003, host = 1, who = "A", what = "connects to server: success", queue = "1/1" },
  { note = "It waits.", at = 0.003 },
  { at = 0.203, host = 1, who = "A", what = "gives up waiting for bytes (TIMEOUT)" },
  { at = 0.204, host = 2, who = "server", what = "ListenDrops +1", is_kernel = true },
}

describe("lanes", function()
  it("show hosts side by side, time down, and arrows for what crossed", function()
    assert.same({
      "       ms   A                        queue     server",
      "    0.000   |                        0/1       * listens, backlog 1",
      "    1.000   |- SYN --------------------------->|",
      "    2.000   |<- SYN-ACK -----------------------|",
      "    3.000   * connects to server: success      |",
      "            |                        1/1       |",
      "            |                                  |",
      "  It waits.",
      "    0.2 s   :                                  :",
      "  203.000   * gives up waiting for bytes (TIMEOUT)",
      "  204.000   |                                  o kernel: ListenDrops +1",
    }, draw(STORY))
  end)

  it("use finer characters where they can be shown", function()
    local rows = draw(STORY, { unicode = true })
    assert.equal("    1.000   │─ SYN ───────────────────────────▶│", rows[3])
    assert.equal("    2.000   │◀─ SYN-ACK ───────────────────────│", rows[4])
    assert.equal("  204.000   │                                  ○ kernel: ListenDrops +1", rows[#rows])
  end)

  it("stay straight beside characters that are wide, that combine and that cannot be shown", function()
    for _, words in ipairs { "漢字 e\u{301}", "\27[31m", "\xff\n\0", "한글 👍" } do
      local rows = draw({ STORY[1], { at = 0.001, host = 1, who = "A", what = words } }, { unicode = true })
      assert.match("│$", rows[3])
      assert.equal(text.width(rows[1]:match "^(.*)server$") + 1, text.width(rows[3]), rows[3])
      assert.is_nil(rows[3]:find "%c")
    end
  end)

  it("have colours on request, and the same text without them", function()
    local plain, coloured = draw(STORY), draw(STORY, { colour = true })
    assert.match("\27%[0;%d+m", coloured[2])
    for i, row in ipairs(coloured) do assert.equal(plain[i], (row:gsub("\27%[[%d;]*m", ""))) end
  end)

  it("end an arrow where the segment was lost", function()
    local rows = draw {
      { at = 0, host = 1, to_host = 2, who = "A", whom = "server", segment = "SYN", lost = "link" },
      { at = 0, host = 1, to_host = 2, who = "A", whom = "server", segment = "SYN again", lost = "rule", arrived = 0 },
      { at = 0, host = 2, to_host = 1, who = "server", whom = "A", segment = "FIN", arrived = 0 },
    }
    assert.equal("    0.000   |- SYN ----------X                 |", rows[2])
    assert.equal("    0.000   |- SYN again ---------------------X| lost by a rule", rows[3])
  end)

  it("name a connection that is not called like its host", function()
    local rows = draw {
      { at = 0, host = 1, who = "client 7", what = "sends 1 byte" },
      { at = 0, host = 2, who = "server", what = "accepts" },
    }
    assert.equal("    0.000   * client 7 sends 1 byte            |", rows[2])
  end)

  it("fit into 80 columns, however long a text is", function()
    local long = ("word "):rep(40)
    for _, row in ipairs(draw {
      { at = 0, host = 2, who = "server", what = long },
      { at = 0, host = 1, who = "A", what = long },
      { at = 0, host = 3, who = "B", what = long, queue = "1000/1000" }, { at = 0, note = long },
    }) do
      assert.is_true(text.width(row) <= 80, row)
    end
  end)

  it("are drawn for up to three hosts beside the one that listens", function()
    local function of(...)
      local lines = { { at = 0, host = 2, who = "server", what = "listens" } }
      for _, host in ipairs { ... } do
        lines[#lines + 1] = { at = 0, host = host, who = HOSTS[host], what = "waits" }
      end
      return draw(lines)
    end
    assert.is_table(of(1, 3, 4))
    assert.is_nil(of(1, 3, 4, 5))
    assert.is_nil(of())
    assert.is_nil(draw_for({}, { { at = 0, host = 1, who = "A", what = "waits" } }))
    local two = { { at = 0, host = 1, who = "A", what = "x" }, { at = 0, host = 2, who = "B", what = "x" } }
    assert.is_nil(draw_for({ 1, 2 }, two))
  end)
end)
