local diagrams = require "lunet.report.diagrams"
local run_of = require("lunet.run.run").of

local function send(at, host)
  return { kind = "send", at = at, host = host, socket = host, bytes = 1, label = "A",
    local_address = ("10.0.%d.1:5"):format(host % 250), local_port = 5 }
end

-- A run on so many hosts that have nothing to do with each other.
local function run_on(count)
  local run = { events = {}, hosts = {} }
  for host = 1, count do run.events[host], run.hosts[host] = send(host - 1, host), "h" .. host end
  return run_of(run)
end

describe("the diagrams of a run", function()
  it("are one without a title for a single group of hosts", function()
    local list, left_out = diagrams.of(run_on(1))
    assert.same({ 1, 0 }, { #list, left_out })
    assert.is_nil(list[1].title)
    assert.matches("<g", list[1].drawn.body, 1, true)
  end)

  it("are one for each group, whose title has its number, hosts and times", function()
    local run = run_on(2)
    local list = diagrams.of(run)
    assert.same({ "1 of 2: h1, 0.000 to 0.000 ms", "2 of 2: h2, 1000.000 to 1000.000 ms" },
      { list[1].title, list[2].title })
    assert.same({ { run.events[1] }, { run.events[2] } }, { list[1].group.events, list[2].group.events })
  end)

  it("are sixty at most, and the rest is counted", function()
    local list, left_out = diagrams.of(run_on(63))
    assert.same({ 60, 3 }, { #list, left_out })
    assert.matches("^60 of 63: h60", list[60].title)
  end)

  it("share the room for events: small groups have all of theirs, the first one more than others", function()
    local run = { events = {}, hosts = { "h1", "h2", "h3" } }
    for i = 1, 300 do run.events[i] = send(i, i % 3 == 0 and i <= 30 and 3 or i % 2 + 1) end
    local list = diagrams.of(run_of(run), { most = 90 })
    local shown = {}
    for i, one in ipairs(list) do shown[i] = one.drawn.drawn end
    local small = #list[3].group.events
    local first = (90 - small) * 3 // 4
    assert.same({ first + 1, 90 - small - first + 1, small }, shown) -- and the notes of the gaps
  end)

  it("are fewer if there is too little room for all", function()
    local list, left_out = diagrams.of(run_on(63), { most = 45 })
    assert.same({ 3, 60 }, { #list, left_out })
  end)
end)
