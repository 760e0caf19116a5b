-- The files of one run tell the same, each in its own way.
local dkjson = require "dkjson"
local lunet = require "lunet"
local scratch = require "lunet.peer.scratch"
local program = require "spec.support.program"

local BOUND <const> = require "spec.support.bound"
local MICROSECOND = 1e-6
local MILLISECOND = 1e-3

local place
before_each(function() place = scratch.open() end)
after_each(function() place:close() end)

local function lunet_command(arguments) return ("exec %s %s"):format(os.getenv "LUNET", arguments) end

local function lines_of(text)
  local lines = {}
  for line in text:gmatch "[^\n]+" do lines[#lines + 1] = line end
  return lines
end

-- All files must agree on these: when B connected, when its FIN left, when the server accepted its ghost, and when the
-- RST left that answers the reply.
local moments = {}

function moments.trace(text)
  local at, accepted = {}, 0
  for _, line in ipairs(lines_of(text)) do
    local e = assert(dkjson.decode(line))
    if e.kind == "connect" and e.label == "B" then at.connect, at.address = e.at, e.local_address end
    if e.kind == "accept" then
      accepted = accepted + 1
      if accepted == 2 then at.accept = e.at end
    end
    if e.kind == "segment" and e.from == at.address and e.flags:find "FIN" then at.fin = e.at end
    if e.kind == "segment" and e.from == at.address and e.flags:find "RST" then at.reset = e.at end
  end
  return at
end

function moments.perfetto(text)
  local at, accepted = {}, 0
  for _, e in ipairs(assert(dkjson.decode(text)).traceEvents) do
    local says, from = e.args and e.args.what or "", e.args and e.args.from
    local ended = e.ts and (e.ts + (e.dur or 0)) / 1e6
    if says:find "^B connects to" then at.connect, at.address = ended, e.args.local_address end
    if e.name == "accept" then
      accepted = accepted + 1
      if accepted == 2 then at.accept = ended end
    end
    if e.cat == "segment" and e.ph == "X" and from and from == at.address then
      if e.name:find "FIN" and not at.fin then at.fin = e.ts / 1e6 end
      if e.name:find "RST" and not at.reset then at.reset = e.ts / 1e6 end
    end
  end
  return at
end

function moments.report(text)
  local at, accepted = {}, 0
  for ms, cells in text:gmatch '<tr><td><a [^>]*>([%d.]+)</a>([^\n]*)' do
    local seconds = tonumber(ms) / 1e3
    if cells:find "<td>B<td>connects to server: success" then at.connect = seconds end
    if cells:find "<td>B<td>%-&gt; server: FIN" then at.fin = seconds end
    if cells:find "<td>B<td>%-&gt; server: RST" then at.reset = seconds end
    if cells:find "<td>server<td>accepts " then
      accepted = accepted + 1
      if accepted == 2 then at.accept = seconds end
    end
  end
  return at
end

-- A pcap file has only the moments of segments.
local function moments_of_pcap(path, address)
  local at = {}
  local fields = "-e frame.time_epoch -e ip.src -e tcp.srcport -e tcp.flags.fin -e tcp.flags.reset"
  local result = program.shell(("tshark -r %s -T fields %s"):format(path, fields))
  assert.equal(0, result.status, result.errors)
  for time, from, port, fin, reset in result.output:gmatch "(%S+)\t(%S+)\t(%S+)\t(%S+)\t(%S+)" do
    if from .. ":" .. port == address then
      if fin ~= "0" and fin ~= "False" then at.fin = tonumber(time) end
      if reset ~= "0" and reset ~= "False" then at.reset = tonumber(time) end
    end
  end
  return at
end

local function assert_same_distances(expected, found, names, precision)
  local first = names[1]
  for _, name in ipairs(names) do
    assert.is_number(found[name], name)
    local distance = found[name] - found[first] - (expected[name] - expected[first])
    assert.is_true(math.abs(distance) <= precision, ("%s is off by %g s"):format(name, distance))
  end
end

describe("the files of one run", function()
  it("agree on when B connected and left, its ghost was accepted, and its reply reset", function()
    local names = { "r.jsonl", "r.json", "r.html", "r.pcap" }
    local paths = {}
    for i, name in ipairs(names) do paths[i] = place.path .. "/" .. name end
    local result = program.shell(lunet_command(
      ("experiments/stale_replay.lua --patience 0.05 --trace %s --perfetto %s --report %s --pcap %s"):format(
        table.unpack(paths))))
    assert.same({ 0, "" }, { result.status, result.errors })
    local trace = moments.trace(place:read "r.jsonl")
    assert.is_true(trace.connect < trace.fin and trace.fin < trace.accept and trace.accept < trace.reset)
    local all = { "connect", "fin", "accept", "reset" }
    assert_same_distances(trace, moments.perfetto(place:read "r.json"), all, 2 * MICROSECOND)
    assert_same_distances(trace, moments.report(place:read "r.html"), all, 2 * MICROSECOND)
    assert_same_distances(trace, moments_of_pcap(paths[4], trace.address), { "fin", "reset" }, 2 * MICROSECOND)
  end)
end)

describe("a trace", function()
  it("is there up to the last whole line when lunet is killed", function()
    place:write("waits.lua", [[
      local lunet = require "lunet"
      return require "lunet.experiment" {
        claim = "It waits.",
        run = function()
          local host = assert(lunet.host "host")
          local listener = assert(host:listen { backlog = 1 })
          local connection = assert(host:connect(listener, 10))
          lunet.note "Now it waits."
          connection:receive(1, 60)
          return {}
        end,
        check = function() end,
      }
    ]])
    local path = place.path .. "/t.jsonl"
    local process = assert(lunet.exec { os.getenv "LUNET", place.path .. "/waits.lua", "--trace", path,
      stdout = "null" })
    local function kinds()
      local seen = {}
      for line in (place:read "t.jsonl"):gmatch "([^\n]*)\n" do seen[assert(dkjson.decode(line)).kind] = true end
      return seen
    end
    assert(lunet.eventually(function()
      local file = io.open(path)
      if file then file:close() end
      return file and kinds().note and kinds().tap
    end, BOUND))
    process:kill "SIGKILL"
    assert.equal("SIGKILL", process:wait(BOUND))
    local seen = kinds()
    for _, kind in ipairs { "run", "listen", "connect", "tap", "note" } do assert.is_true(seen[kind], kind) end
    assert.is_nil(seen["end"])
    process:close()
  end)
end)

describe("the SYNs of a client that finds the queue full", function()
  local patiently = require "spec.support.patient"(it)

  -- The kernel's own schedule: after 1 s, and with linear timeouts 1 s later again (tcp_syn_linear_timeouts).
  patiently("are among the segments at their true times, and marked as sent again", function()
    local path = place.path .. "/t.jsonl"
    local result = program.shell(lunet_command("experiments/queue/overflow.lua --trace " .. path))
    if result.status == 4 then error("not judged: the machine was late", 0) end
    assert.same({ 0, "" }, { result.status, result.errors })
    local flows = {}
    for _, line in ipairs(lines_of(place:read "t.jsonl")) do
      local e = assert(dkjson.decode(line))
      if e.kind == "segment" and e.flags == "SYN" then
        flows[e.from .. e.to] = flows[e.from .. e.to] or {}
        table.insert(flows[e.from .. e.to], e)
      end
    end
    local repeated = 0
    for _, syns in pairs(flows) do
      for i, syn in ipairs(syns) do
        assert.equal(i > 1 or nil, syn.again)
        if i > 1 then
          repeated = repeated + 1
          local apart = syn.at - syns[i - 1].at
          assert.is_true(apart >= 1 - MILLISECOND * 200, "the machine was late to send the SYN before")
        end
      end
    end
    assert.is_true(repeated >= 2)
  end)
end)
