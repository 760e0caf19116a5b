local core = require "lunet.core"
local dkjson = require "dkjson"
local encode = require("lunet.run.record").encode
local execution = require "lunet.run.execution"
local experiment = require "lunet.experiment"
local lunet = require "lunet"
local program = require "spec.support.program"
local runs = require "lunet.run.run"
local schema = require "spec.support.schema"
local trace = require "lunet.files.trace"

local MANY <const> = 20000 -- events, more than the ring holds
local BOUND <const> = require "spec.support.bound"


local function lines_of(path)
  local lines = {}
  for line in io.lines(path) do lines[#lines + 1] = assert(dkjson.decode(line), line) end
  return lines
end

-- Its run has as many kinds of events as one run can have.
local declared = experiment {
  claim = "It runs.",
  knobs = { backlog = { 1, "connections", "how many", min = 0 } },
  run = function(knobs)
    local server, client = assert(lunet.host "server"), assert(lunet.host "client")
    lunet.link(server, client)
    local listener = assert(server:listen { port = 7000, backlog = knobs.backlog })
    local rule <close> = assert(server:drop { flags = "data", first = 1 })
    local connection = assert(client:connect(listener, BOUND))
    assert(connection:send "hello\n")
    assert.equal("TIMEOUT", (select(3, connection:receive("l", 0.02))))
    lunet.note "It \"waits\",\nlong."
    local far = assert(listener:accept(BOUND))
    assert.equal("hello", far:receive("l", BOUND))
    rule:close()
    listener:gate(2)
    listener:resize(3)
    listener:set { nodelay = true }
    connection:set { congestion = "nosuch" }
    connection:shutdown()
    connection:dissolve()
    far:reset()
    local process = assert(server:exec { "cat", stdin = "pipe" })
    process:kill "SIGTERM"
    process:wait(BOUND)
    local _own <close> = assert(server:connect(listener, BOUND)) -- by the loopback
    return { is_over = true, nothing = {} }
  end,
  check = function() end,
}

local function new_run() return runs.new(declared, declared:settings(), "a_run") end

local function run(options) return execution.execute(new_run(), options) end

-- A run that has begun, as whoever follows it sees it.
local function begun(began)
  local begun_run = new_run()
  begun_run.began, begun_run.environment = began, { kernel = "Linux" }
  return begun_run
end

local ELSEWHERE <const> = { run = true, tap = true, segment = true, ["end"] = true }

-- The calls and the kernel's side, in the order of time.
local function without_segments(lines)
  local rest = {}
  for _, line in ipairs(lines) do
    if not ELSEWHERE[line.kind] then rest[#rest + 1] = line end
  end
  table.sort(rest, function(a, b) return a.at < b.at end)
  return rest
end

local function complaints(path) return schema("trace.schema.json", path) end

describe("a trace file", function()
  local path

  before_each(function() path = os.tmpname() end)
  after_each(function()
    os.remove(path)
    assert.same({}, lunet.open_handles())
  end)

  local function follow(recorder) return assert(trace.create(path, begun(recorder.began), recorder)) end

  local function write(text)
    local file <close> = assert(io.open(path, "w"))
    file:write(text)
  end

  it("has the run, its events in the order of time, and its end", function()
    local result = run { record = "segments" }
    write(trace.encode(result))
    local lines = lines_of(path)
    local first, last = lines[1], lines[#lines]
    assert.same({ "run", 0, "a_run", "It runs.", { backlog = 1 } },
      { first.kind, first.at, first.experiment, first.claim, first.knobs })
    assert.same({ "end", "holds", true, 0, "server" }, { last.kind, last.verdict, last.outcome.is_over, last.lost,
      last.hosts["1"] ~= "client" and "server" or "client" })
    assert.equal(#result.events + 2, #lines)
    local at, kinds = 0, {}
    for _, line in ipairs(lines) do
      assert.is_true(line.at >= at, ("%s at %.9f after %.9f"):format(line.kind, line.at, at))
      at = line.at
      kinds[line.kind] = true
    end
    for _, kind in ipairs { "listen", "connect", "send", "receive", "accept", "note", "queue", "counters", "sockets",
      "segment", "drop", "drop_end", "gate", "resize", "set", "dissolve",
      "shutdown", "reset", "exec", "signal", "exit" } do
      assert.is_true(kinds[kind], kind)
    end
    for _, line in ipairs(lines) do assert.is_nil(line.packet) end
  end)

  it("has the run's record in its last line, besides what its own schema adds", function()
    local result = run { record = "none" }
    write(trace.encode(result))
    local lines = lines_of(path)
    local last, record = lines[#lines], dkjson.decode(encode(result:record()))
    assert.same({ 1, "a_run" }, { record.format, record.experiment })
    for field, value in pairs(record) do assert.same(value, last[field], field) end
  end)

  it("is what its schema says, when the run is over and when it was cut short", function()
    local result = run { record = "segments", follow = follow }
    local cut_short = complaints(path)
    assert.same({ 0, "", "" }, { cut_short.status, cut_short.output, cut_short.errors })
    local written = without_segments(lines_of(path))
    write(trace.encode(result))
    assert.same(without_segments(lines_of(path)), written)
    local whole = complaints(path)
    assert.same({ 0, "", "" }, { whole.status, whole.output, whole.errors })
    assert.equal("end", lines_of(path)[#lines_of(path)].kind)
  end)

  it("would not pass the schema's check with a field that nobody described", function()
    write(table.concat({ '{"kind":"note","at":0,"text":"x"}', '{"kind":"note","at":0,"text":"x","colour":"red"}',
      '{"kind":"nothing","at":0}', "" }, "\n"))
    local found = complaints(path).output
    assert.match("^2 .-\n3 .-\n$", found)
  end)

  it("has whole lines of what happened so far while the run goes on", function()
    local waiting = experiment {
      claim = "It waits.",
      run = function()
        local host = assert(lunet.host "host")
        local listener = assert(host:listen { backlog = 1 })
        assert(host:connect(listener, BOUND))
        assert(lunet.eventually(function()
          local seen = {}
          for _, line in ipairs(lines_of(path)) do seen[line.kind] = true end
          return seen.run and seen.listen and seen.connect and seen.tap
        end, BOUND))
        return {}
      end,
      check = function() end,
    }
    waiting:execute({}, { record = "segments", follow = follow })
    for _, line in ipairs(lines_of(path)) do assert.not_equal("end", line.kind) end
  end)

  it("has all events of a run that never waits, more than the ring holds, and then its end", function()
    local busy = experiment {
      claim = "It is busy.",
      run = function()
        for i = 1, MANY do lunet.note(tostring(i)) end
        return {}
      end,
      check = function() end,
    }
    local follower
    local result = runs.new(busy, busy:settings(), "busy")
    execution.execute(result, { follow = function(recorder)
      follower = follow(recorder)
      return follower
    end })
    assert.is_true(result.lost > 0)
    assert.is_true(follower:has_more(result))
    assert.is_true(follower:finish(result))
    follower:close()
    local lines = lines_of(path)
    assert.same({ "run", "end", 0 }, { lines[1].kind, lines[#lines].kind, lines[#lines].lost })
    local last = 0
    for _, line in ipairs(lines) do
      if line.kind == "note" then
        assert.equal(tostring(last + 1), line.text)
        last = last + 1
      end
    end
    assert.equal(MANY, last)
  end)

  it("has each segment that a tap saw, while the run goes on", function()
    local talking = experiment {
      claim = "It talks.",
      run = function()
        local a, b = assert(lunet.host "a"), assert(lunet.host "b")
        lunet.link(a, b)
        local capture = assert(b:capture())
        local listener = assert(a:listen { port = 7000, backlog = 1 })
        local near = assert(b:connect(listener, BOUND))
        local far = assert(listener:accept(BOUND))
        for i = 1, 2000 do
          assert(near:send "x")
          assert(far:receive(1, BOUND))
          if i % 200 == 0 then lunet.sleep(0.02) end
        end
        return { seen = capture:statistics().seen, host = core.host_number(b) }
      end,
      check = function() end,
    }
    local result = runs.new(talking, talking:settings(), "talking")
    execution.execute(result, { record = "segments", follow = follow })
    local taps = 0
    for _, line in ipairs(lines_of(path)) do
      if line.kind == "tap" and line.host == result.outcome.host then taps = taps + 1 end
    end
    assert.is_true(taps > 4000 and taps >= result.outcome.seen, taps)
  end)

  it("does not keep lunet from finding a deadlock, nor is its task shown", function()
    local script <close> = assert(io.open(path .. ".lua", "w"))
    script:write([[return require "lunet.experiment" { claim = "It is stuck.", check = function() end, run = function()
      local lunet, a, b = require "lunet", nil, nil
      a = lunet.spawn(function() lunet.sleep(0.01) b:join() end)
      b = lunet.spawn(function() a:join() end)
      a:join()
    end }]])
    script:flush()
    local result = program.shell(("exec timeout 60 '%s' %s.lua --trace %s"):format(os.getenv "LUNET", path, path))
    os.remove(path .. ".lua")
    assert.equal(3, result.status)
    assert.matches("deadlock: tasks wait for each other's end", result.errors, 1, true)
    assert.is_nil(result.errors:find "rest")
  end)

  it("has more than the run if the ring or memory had too little room", function()
    local follower = setmetatable({ is_whole = true }, trace)
    assert.is_false(follower:has_more { lost = 0 })
    assert.is_true(follower:has_more { lost = 1 })
    assert.is_true(follower:has_more { lost = 0, is_partial = true })
    follower.is_whole = false
    assert.is_false(follower:has_more { lost = 1 })
  end)

  it("that cannot be made is an error", function()
    local file, message = trace.create("/nowhere/x.jsonl", begun(lunet.now()), { first = 0 })
    assert.is_nil(file)
    assert.match("No such file", message, 1, true)
  end)
end)
