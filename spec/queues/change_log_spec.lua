local change_log = require "lunet.queues.change_log"
local json = require "lunet.text.json"
local listing = require "spec.support.listing"
local merged = require "spec.support.merged"
local schema = require "spec.support.schema"
local scratch = require "lunet.peer.scratch"

local function entry(inode, depth, more)
  local one = { inode = inode, address = "0.0.0.0:" .. inode, port = inode, depth = depth, limit = 5,
    at_somaxconn = false, drops = 0, left_by_fin = 0, left_by_reset = 0, bytes = 0, half_open = 0, peak = depth,
    sockets = 1, mptcp = false }
  return merged(one, more)
end

local function look(time, ...) return { time = time, listeners = { ... }, clients = {} } end

describe("a log of changes", function()
  local place, path
  before_each(function()
    place = scratch.open()
    path = place.path .. "/log"
  end)
  after_each(function() place:close() end)

  local function lines_of(name)
    local list = {}
    for line in io.lines(name) do
      local change = json.decode(line)
      list[#list + 1] = { change.time, change.what, change.listener.port, change.listener.depth }
    end
    return list
  end

  it("has a line for each queue that is new, has changed or is gone", function()
    local log <close> = assert(change_log.open(path, 1e6))
    assert(log:add(look(1, entry(80, 0), entry(81, 0))))
    assert(log:add(look(2, entry(80, 0, { oldest_seconds = 3, bytes = 7 }), entry(81, 0))))
    assert(log:add(look(3, entry(80, 2))))
    assert.same({ { 1, "new", 80, 0 }, { 1, "new", 81, 0 }, { 3, "changed", 80, 2 }, { 3, "gone", 81, 0 } },
      lines_of(path))
  end)

  it("follows its schema", function()
    local log <close> = assert(change_log.open(path, 1e6))
    assert(log:add(look(1, entry(80, 0))))
    local complaints = schema("queues.schema.json#/$defs/change", path)
    assert.same({ 0, "", "" }, { complaints.status, complaints.output, complaints.errors })
  end)

  it("continues a file, and keeps two files of at most its size", function()
    place:write("log", "former\n")
    local line
    do
      local log <close> = assert(change_log.open(path, 1e6))
      assert(log:add(look(1, entry(80, 0))))
      line = #place:read "log" - #"former\n"
    end
    local log <close> = assert(change_log.open(path, 3 * line))
    for depth = 1, 20 do assert(log:add(look(depth, entry(80, depth)))) end
    assert.is_true(#lines_of(path) <= 3 and #lines_of(path .. ".1") <= 3)
    assert.same({ 20, "changed", 80, 20 }, lines_of(path)[#lines_of(path)])
    assert.same({ "log", "log.1" }, listing(place.path))
  end)

  it("says that it has lost its file, and goes on", function()
    place:write("log.1/in_the_way", "")
    local log <close> = assert(change_log.open(path, 1))
    assert.is_nil((log:add(look(1, entry(80, 0)))))
    assert.same({ nil, path .. ": the file is lost" }, { log:add(look(2, entry(80, 1))) })
    assert.is_true((log:add(look(3, entry(80, 1))))) -- there is nothing to tell
  end)

  it("says why it cannot begin, and why it cannot write", function()
    local log, why = change_log.open(place.path .. "/none/log", 1e6)
    assert.is_nil(log)
    assert.matches("No such file", why)
    local full <close> = assert(change_log.open("/dev/full", 1e6))
    local ok, failure = full:add(look(1, entry(80, 0)))
    assert.is_nil(ok)
    assert.matches("No space left", failure)
  end)
end)
