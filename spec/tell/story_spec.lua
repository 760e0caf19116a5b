local experiment_files = require "spec.support.experiment_files"
local execution = require "lunet.run.execution"
local lunet = require "lunet"
local experiment = require "lunet.experiment"
local new_run = require("lunet.run.run").new
local run_of = require("lunet.run.run").of
local story = require "lunet.tell.story"

local function lines_of(text)
  local lines = {}
  for line in (text .. "\n"):gmatch "(.-)\n" do lines[#lines + 1] = line end
  return lines
end

local function opening_of(fields)
  fields.run = function() return {} end
  fields.check = function() end
  fields.claim = fields.claim or "It holds."
  local declared = experiment(fields)
  return lines_of(story.opening(new_run(declared, declared:settings(), "a_script")))
end

-- The lines between a heading and the empty line that ends its part.
local function part_of(text, heading)
  local part = {}
  local is_inside = false
  for _, line in ipairs(lines_of(text)) do
    if is_inside and line == "" and #part > 0 then return part end
    if is_inside and line ~= "" then part[#part + 1] = line end
    is_inside = is_inside or line:find(heading, 1, true) == 1
  end
  return part
end

local function rest_of(run)
  return story.rest(run_of {
    outcome = run.outcome or {}, verdict = run.verdict or "holds", why = run.why, columns = run.columns,
    events = run.events, lost = run.lost, figures = run.figures, plot = run.plot,
  }, { is_whole = run.is_whole })
end

local function timeline_of(events, lost)
  return part_of(rest_of { events = events, lost = lost }, "Timeline")
end

local function outcome_of(outcome)
  return part_of(rest_of { outcome = outcome }, "Outcome")
end

describe("the story's opening", function()
  it("is the claim, and nothing else for an experiment without knobs", function()
    assert.same({ "a_script: the claim", "", "  It holds." }, opening_of {})
  end)

  it("breaks a long claim at its spaces", function()
    local lines = opening_of { claim = ("word "):rep(40) }
    assert.same({ "  " .. ("word "):rep(14) .. "word", "  " .. ("word "):rep(14) .. "word",
      "  " .. ("word "):rep(9) .. "word" }, table.move(lines, 3, #lines, 1, {}))
  end)

  it("lists the knobs with their values, units and meanings in columns", function()
    assert.same({
      "Knobs",
      "",
      "  backlog  100 connections  how many",
      "  mode     \"slow\" speed     how",
      "  t        0.2 s            how long",
    }, table.move(opening_of { knobs = {
      t = { 0.2, "s", "how long" }, backlog = { 100, "connections", "how many" }, mode = { "slow", "speed", "how" },
    } }, 5, 9, 1, {}))
  end)

  it("breaks a knob's long meaning below itself", function()
    local lines = opening_of { knobs = { t = { 0.2, "s", ("mean "):rep(20) } } }
    assert.equal("  t  0.2 s  " .. ("mean "):rep(12) .. "mean", lines[7])
    assert.equal("            " .. ("mean "):rep(6) .. "mean", lines[8])
  end)

  it("takes knobs of any length", function()
    local long = ("x"):rep(150)
    assert.equal(('  %s  "%s" bytes  what'):format(("k"):rep(120), long),
      opening_of { knobs = { [("k"):rep(120)] = { long, "bytes", "what" } } }[7])
  end)
end)

describe("the story's timeline", function()
  it("has a row for an event: ms since the first, the queue where it changed, who, what", function()
    assert.same({
      "       ms  queue  who     what",
      "    0.000  0/5    server  listens, backlog 5",
      "    0.500         B       connects to server: success",
      "    2.125  1/5    B       sends 10 bytes to server",
      " 1000.000         B       closes its connection with server",
    }, timeline_of {
      { at = 50, kind = "listen", socket = 1, local_port = 7, bytes = 5 },
      { at = 50, kind = "queue", socket = 1, local_port = 7, depth = 0, limit = 5 },
      { at = 50.0005, kind = "connect", socket = 2, local_port = 9, peer_port = 7, bytes = 0, label = "B" },
      { at = 50.002125, kind = "send", socket = 2, local_port = 9, peer_port = 7, bytes = 10, label = "B" },
      { at = 50.002126, kind = "queue", socket = 1, local_port = 7, depth = 1, limit = 5 },
      { at = 51, kind = "close", socket = 2, local_port = 9, peer_port = 7, bytes = 0, label = "B" },
    })
  end)

  it("sets a note across, apart from what came before", function()
    local text = rest_of { events = {
      { at = 1, kind = "note", text = ("Now it begins, and "):rep(6) .. "so on." },
      { at = 2, kind = "listen", socket = 1, local_port = 7, bytes = 5 },
    } }
    assert.match(table.concat({
      "       ms  queue  who     what",
      "",
      "  Now it begins, and Now it begins, and Now it begins, and Now it begins, and",
      "  Now it begins, and Now it begins, and so on.",
      " 1000.000         server  listens, backlog 5",
    }, "\n"), text, 1, true)
  end)

  it("keeps a note's line breaks and tabs out of the columns", function()
    assert.equal("  a b c", lines_of(rest_of { events = { { at = 1, kind = "note", text = "a\n b\t\tc\n" } } })[5])
  end)

  it("says how many events are lost", function()
    assert.same({
      "       ms  queue  who     what",
      "  (7 earlier events are lost: the ring holds the last ones; a new file of --trace has all)",
      "    0.000         server  closes the listener",
    }, timeline_of({ { at = 1, kind = "close", socket = 1, local_port = 7, bytes = 0 } }, 7))
  end)

  it("is only its heading when nothing was recorded", function()
    assert.same({ "       ms  queue  who  what" }, timeline_of {})
  end)

  it("widens its columns for long names and deep queues", function()
    assert.same({
      "       ms  queue      who             what",
      "    0.000  1001/1000  a long-named B  connects: success",
    }, timeline_of {
      { at = 1, kind = "connect", socket = 1, local_port = 9, peer_port = 7, bytes = 0, label = "a long-named B" },
      { at = 1, kind = "queue", socket = 2, depth = 1001, limit = 1000 },
    })
  end)

  it("breaks a row that would be too wide below its last column", function()
    assert.same({
      "    0.000         client 10000  finds no room to send (TIMEOUT), after",
      "                                1234567890 bytes",
    }, table.move(timeline_of {
      { at = 1, kind = "send", code = "TIMEOUT", socket = 1, bytes = 1234567890, label = "client 10000" },
    }, 2, 3, 1, {}))
  end)

  -- string.format takes no width above 99: a longer label ended the program after the run.
  it("takes labels of any length", function()
    local label = ("x"):rep(150)
    assert.equal("    0.000         " .. label .. "  sends 1 byte",
      timeline_of({ { at = 1, kind = "send", socket = 1, bytes = 1, label = label } })[2])
  end)
end)

describe("the story's timeline, when it is long,", function()
  -- So many events, the first and the last of which are notes.
  local function events_of(count)
    local events = { { at = 0, kind = "note", text = "It begins." } }
    for i = 2, count - 1 do
      events[i] = { at = i, kind = "send", socket = 1, local_port = 7, peer_port = 9, bytes = 10, label = "B" }
    end
    events[count] = { at = count, kind = "note", text = "It ends." }
    return events
  end

  it("has its rows as long as they are no more than 100", function()
    local text = rest_of { events = events_of(100) }
    assert.match("\n 2000.000         B    sends 10 bytes\n", text, 1, true)
    assert.not_match("--timeline", text, 1, true)
  end)

  it("is only its notes, and how many events there were", function()
    assert.match("^" .. table.concat({
      "Timeline",
      "",
      "  101 events, of which these are the notes; %-%-timeline prints them all%.",
      "",
      "  It begins%.",
      "",
      "  It ends%.",
      "",
      "Outcome",
    }, "\n"), rest_of { events = events_of(101) })
  end)

  it("says so when it has no notes, and how many events are lost", function()
    local events = table.move(events_of(103), 2, 102, 1, {})
    assert.match("^Timeline\n\n  101 events; %-%-timeline prints them all%.\n\nOutcome\n", rest_of { events = events })
    assert.match("prints them all%.\n  %(7 earlier events are lost: the ring holds the last ones; a new file of "
      .. "%-%-trace has all%)\n\nOutcome\n",
      rest_of { events = events, lost = 7 })
  end)

  it("has all its rows on request", function()
    local _, rows = rest_of({ events = events_of(500), is_whole = true }):gsub("sends 10 bytes", "")
    assert.equal(498, rows)
  end)
end)

describe("the story's outcome", function()
  it("lists the fields by name, in a column", function()
    assert.same({ "  accepted  true", "  b         2", "  c         \"text\"" },
      outcome_of { c = "text", accepted = true, b = 2 })
  end)

  it("shows whole numbers, and floats with six digits", function()
    assert.same({ "  a  5", "  b  5", "  c  0.333333", "  d  6.59e-05", "  e  inf", "  f  123456789012" },
      outcome_of { a = 5, b = 5.0, c = 1 / 3, d = 6.59e-05, e = math.huge, f = 123456789012 })
  end)

  it("shows lists, maps, and one in the other", function()
    assert.same({ '  a  { "x", "y" }', "  b  { m = { 1, { n = 2 } } }", "  c  {}", "  d  { 1, x = 2, y = 3 }" },
      outcome_of { a = { "x", "y" }, b = { m = { 1, { n = 2 } } }, c = {}, d = { 1, y = 3, x = 2 } })
  end)

  it("shows the indices of a list with holes", function()
    assert.same({ '  codes  { [2] = "b", [4] = "d" }', '  more   { "a", [3] = "c", [10] = "j" }' },
      outcome_of { codes = { [2] = "b", [4] = "d" }, more = { [1] = "a", [3] = "c", [10] = "j" } })
  end)

  it("shows strings in one line, whatever they hold", function()
    assert.same({ [[  text  "a\nb\tc\rd\"e\\f\x00\x1b[1m\x7f"]] }, outcome_of { text = "a\nb\tc\rd\"e\\f\0\27[1m\127" })
  end)

  it("shows UTF-8 as it is and other bytes by number", function()
    assert.same({ [[  bytes  "hä\xff"]], [[  text   "hä"]] }, outcome_of { text = "hä", bytes = "hä\xff" })
  end)

  it("lists a list's values with their numbers", function()
    assert.same({ "  1  true", "  2  false", "  x  1" }, outcome_of { true, false, x = 1 })
  end)

  it("takes names of any length", function()
    local name = ("x"):rep(150)
    assert.same({ "  " .. name .. "  1" }, outcome_of { [name] = 1 })
  end)

  it("breaks a table that is too wide for a line", function()
    local wide = {}
    for i = 1, 20 do wide["field_" .. i] = i end
    local lines = outcome_of { wide = wide, text = ("word  "):rep(20) }
    assert.equal(("  text  %q"):format(("word  "):rep(20)), lines[1]) -- a text stays as it is
    assert.is_true(#lines > 3)
    for i = 2, #lines do assert.match(i == 2 and "^  wide  { f" or "^        %S", lines[i]) end
  end)
end)

describe("the story's tables", function()
  local cases = { { departure = "close", depth = 1 }, { departure = "reset", depth = 0 } }

  it("are the outcome's lists of records, below its other fields", function()
    assert.match(table.concat({
      "",
      "Outcome",
      "",
      "  b  2",
      "  z  { 1, 2 }",
      "",
      "  a_list:",
      "",
      "  departure  depth",
      "  close          1",
      "  reset          0",
      "",
      "  more:",
      "",
      "  limit",
      "      5",
      "",
      "The claim holds.",
    }, "\n"), rest_of { outcome = { a_list = cases, b = 2, more = { { limit = 5 } }, z = { 1, 2 } },
      columns = { "departure" } }, 1, true)
  end)

  it("may be all there is", function()
    assert.match("\nOutcome\n\n  cases:\n\n  departure  depth\n", rest_of { outcome = { cases = cases } }, 1, true)
  end)

  it("fit into 80 columns", function()
    local record = {}
    for i = 1, 12 do record[("a_number_of_%d"):format(i)] = i end
    for _, line in ipairs(lines_of(rest_of { outcome = { wide = { record } } })) do
      assert.is_true(#line <= 80, line)
    end
  end)
end)

describe("the story's plot", function()
  it("stands between the outcome and the verdict", function()
    for _, text in ipairs { "  *\n *", "  *\n *\n", "  *\n *\n\n" } do
      assert.match("\nOutcome\n\n  depth  1\n\n  *\n *\n\nThe claim holds.",
        rest_of { outcome = { depth = 1 }, plot = text }, 1, true)
    end
  end)
end)

describe("the story's verdict", function()
  local function verdict_of(run)
    local lines = lines_of(rest_of(run))
    local at = #lines
    while lines[at] ~= "" do at = at - 1 end
    return table.move(lines, at + 1, #lines, 1, {})
  end

  it("is that the claim holds", function()
    assert.same({ "The claim holds." }, verdict_of { verdict = "holds" })
  end)

  it("is that it does not, and why", function()
    assert.same({ "The claim does not hold: nobody connected" },
      verdict_of { verdict = "does not hold", why = "nobody connected" })
  end)

  it("is that it is not judged, and why", function()
    assert.same({ "The claim is not judged: the machine slept", "Figures: 0 of 6 connect." },
      verdict_of { verdict = "not judged", why = "the machine slept", figures = "0 of 6 connect" })
  end)

  it("tells the figures, as the end of a sentence", function()
    assert.same({ "The claim holds: 4 of 6 connect." }, verdict_of { figures = "4 of 6 connect" })
    assert.same({ "The claim holds: 4 of 6 connect." }, verdict_of { figures = "4 of 6 connect." })
    assert.same({ "The claim does not hold: nobody connected", "Figures: 0 of 6 connect." },
      verdict_of { verdict = "does not hold", why = "nobody connected", figures = "0 of 6 connect" })
  end)

  it("breaks a long reason at its spaces", function()
    assert.same({ "The claim does not hold: " .. ("why "):rep(13) .. "why", ("why "):rep(5) .. "why" },
      verdict_of { verdict = "does not hold", why = ("why "):rep(20) })
  end)
end)

describe("the story of every experiment", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  -- Settings that take next to no time; some let the claim hold, some do not.
  local settings = {
    stale_replay = { patience = 0, requests = 2 },
    connect_without_accept = { backlog = 0, clients = 2, patience = 0.05 },
    pending_data = { patience = 0, bytes = 1000000 },
    backlog_capacity = { backlog = 9, clients = 11, patience = 0.05 },
  }

  local function too_wide(text)
    local wide = {}
    for _, line in ipairs(lines_of(text)) do
      if utf8.len(line) > 80 then wide[#wide + 1] = line end
    end
    return wide
  end

  for name, given in pairs(settings) do
    it("fits into 80 columns, except for the values in an outcome: " .. name, function()
      local declared = dofile(experiment_files.path(name))
      local values = declared:settings(given)
      local run = execution.execute(new_run(declared, values, name))
      assert.same({}, too_wide(story.opening(run)))
      local text = story.rest(run)
      assert.same({}, too_wide(text:match "^(.*)\nOutcome\n"))
      assert.same({}, too_wide(text:match ".*\n\n(.*)$"))
      assert.match("\nOutcome\n\n  %l", text)
    end)
  end
end)
