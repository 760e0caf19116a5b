-- Every teller shows the names, notes and outcomes of a script, and escapes control characters and broken bytes. The
-- outcome survives a teller that fails. Every case is a process of its own.
local dkjson = require "dkjson"
local program = require "spec.support.program"
local schema = require "spec.support.schema"
local scratch = require "lunet.peer.scratch"
local tshark = require "spec.support.tshark"

-- Escape sequences: a colour, a terminal's title, CSI in one character. Then a line end, a byte that is no UTF-8, a
-- change of the direction; and narrow, wide and combined characters.
local BAD = [["x\27[31m\27]0;t\7\r\n\xff\u{9b}\u{202e}<é漢e\u{301}"]]
local SHOWN = [[x\x1b[31m\x1b]0;t\x07\r\n\xff\u{9b}\u{202e}<é漢e]] .. "\u{301}"

-- Line ends are white space in sentences, and shown in names.
local function without_ends(text) return (text:gsub("%s+", ""):gsub([[\r]], ""):gsub([[\n]], "")) end

local SCRIPT = ([[
  local lunet = require "lunet"
  local bad = BAD
  local place = PLACE
  local function at(where, other) return place == "all" and bad .. where or place == where and bad or other end
  return require "lunet.experiment" {
    claim = at("claim", "It is told."),
    knobs = { what = { at("knob", "x"), at("unit", "unit"), at("meaning", "which") } },
    run = function()
      local h, k = assert(lunet.host(at("host", "h"))), assert(lunet.host "k")
      lunet.link(h, k)
      lunet.note(at("note", "note"))
      local listener <close> = assert(h:listen { backlog = 1, label = at("label", "shop") })
      listener:set { congestion = at("option", "reno") }
      local near <close> = assert(k:connect({ listener, label = at("client", "Ada") }, 10))
      local p <close> = assert(h:exec { "printf", at("output", "x"), label = at("program", "p") })
      p.stdout:receive("a", 10)
      p:wait(10)
      return { x = at("outcome", "x"), [at("key", "key")] = 1, list = { { [at("column", "c")] = at("cell", "c") } } }
    end,
    figures = function() return at("figures", "figures") end,
    plot = function() return at("plot", "plot") end,
    check = function() if place == "why" or place == "all" then error(at "why", 0) end end,
  }
]]):gsub("BAD", (BAD:gsub("%%", "%%%%")))

local place

local function tell(where, arguments)
  place:write("told.lua", (SCRIPT:gsub("PLACE", ("%q"):format(where))))
  return program.shell(("cd %s && LC_ALL=C.UTF-8 exec %s told.lua %s"):format(place.path, os.getenv "LUNET",
    arguments or ""))
end

local function assert_showable(text, kept)
  assert.is_truthy(utf8.len(text), "bytes that are no UTF-8")
  for _, code in utf8.codes(text) do
    local is_control = code < 32 and not kept:find(utf8.char(code), 1, true) or code >= 127 and code < 160
      or code == 0x202e
    if is_control then error(("U+%04X in %q"):format(code, text)) end
  end
end

-- The column in which each line of a sequence has its second lane.
local function second_lanes(output)
  local columns = {}
  for line in output:gmatch "[^\n]+" do
    local column = line:match "^ *[%d.]* *│()"
    if column then columns[#columns + 1] = line end
  end
  return columns
end

describe("a text of a script", function()
  setup(function() place = scratch.open() end)
  teardown(function() place:close() end)

  it("is shown in the terminal, wherever it stands", function()
    local result = tell "all"
    assert.same({ 1, "" }, { result.status, result.errors })
    assert_showable(result.output, "\n")
    local output = without_ends(result.output)
    for _, where in ipairs { "claim", "knob", "unit", "meaning", "host", "note", "label", "client", "program",
      "option", "outcome", "key", "column", "cell", "figures", "plot", "why" } do
      assert.is_truthy(output:find(without_ends(SHOWN .. where), 1, true), where .. " is not in " .. result.output)
    end
  end)

  it("is shown in the help", function()
    local result = tell("all", "--help")
    assert.same({ 0, "" }, { result.status, result.errors })
    assert_showable(result.output, "\n")
    assert.is_truthy(without_ends(result.output):find(without_ends(SHOWN .. "meaning"), 1, true), result.output)
  end)

  it("is shown in every file, and in JSON it stays what it was", function()
    local result = tell("all", "--report r.html --svg r.svg --trace r.jsonl --pcap r.pcap --perfetto p.json --json")
    assert.equal(1, result.status, result.errors)
    assert_showable(result.output, "\n\t")
    local outcome = dkjson.decode(result.output).outcome
    assert.equal("x\27[31m\27]0;t\7\r\n\\xff\u{9b}\u{202e}<é漢e\u{301}outcome", outcome.x)
    for _, name in ipairs { "r.html", "r.svg", "r.jsonl", "p.json" } do assert_showable(place:read(name), "\n\t") end
    assert.match("&lt;é漢e\u{301}", place:read "r.html")
    assert.equal("", program.shell(("xmllint --noout %s/r.svg"):format(place.path)).errors)
    assert.equal("", schema("trace.schema.json", place.path .. "/r.jsonl").output)
    assert.is_table(dkjson.decode(place:read "p.json"))
    local rows, read = tshark.read(place:read "r.pcap", "frame.interface_name")
    assert.equal(0, read.status, read.errors)
    for _, row in ipairs(rows) do assert_showable(row[1], "") end
  end)

  it("is shown in the page of a directory", function()
    tell("all")
    place:write("all/told.lua", place:read "told.lua")
    local page
    for _, format in ipairs { "", "--json", "--markdown" } do
      local result = program.shell(("cd %s && exec %s all %s"):format(place.path, os.getenv "LUNET", format))
      assert.equal(1, result.status, result.errors)
      assert_showable(result.output, "\n")
      assert_showable(result.errors, "\n")
      page = result.output
    end
    assert.match("\n| %[told%]%(told.lua%) | [^\n|]* | does not hold | [^\n|]* |\n", page)
  end)

  it("leaves the outcome to be told when it cannot be", function()
    place:write("failing.lua", [[
      require "lunet.recording.timeline".by_event = function() error "out of order" end
      return require "lunet.experiment" { claim = "It is told.", run = function() return { x = 1 } end,
        check = function() end, figures = function() return "one" end }
    ]])
    local run = ("cd %s && exec %s failing.lua"):format(place.path, os.getenv "LUNET")
    local result = program.shell(run)
    assert.same({ 0, "" }, { result.status, result.errors })
    assert.match("\n  %(The timeline cannot be told: [^\n]*out of order%)\n\nOutcome\n\n  x  1\n", result.output)
    assert.match("\nThe claim holds: one.\n$", result.output)
    local filed = program.shell(run .. " --svg r.svg --perfetto p.json --pcap r.pcap --json")
    assert.equal(3, filed.status)
    assert.match("^lunet: failing: %-%-perfetto: [^\n]*out of order\n$", filed.errors)
    assert.equal("holds", dkjson.decode(filed.output).verdict)
    assert.match("^\n\r\r\n", place:read "r.pcap")
  end)

  it("leaves lanes straight", function()
    local plain, bad = tell "none", tell "host"
    assert.is_true(#second_lanes(bad.output) > 3)
    for _, line in ipairs(second_lanes(bad.output)) do
      local ends = line:match "^(.*│)%s*$"
      if ends then assert.equal(12 + 36, utf8.len(ends), line) end
    end
    assert.equal(#second_lanes(plain.output), #second_lanes(bad.output))
  end)
end)
