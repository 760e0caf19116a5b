local outputs = require "lunet.queues.outputs"
local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"

local LOOK <const> = { time = 1, clients = {}, listeners = { { inode = 1, address = "0.0.0.0:80", port = 80, depth = 0,
  limit = 5, at_somaxconn = false, half_open = 0, peak = 0, sockets = 1, mptcp = false } } }

describe("the files of lunet queues", function()
  local place, complaints
  before_each(function()
    place, complaints = scratch.open(), {}
  end)
  after_each(function() place:close() end)

  local function open(options)
    options.log_size = 1
    return outputs.open(options, function(words) complaints[#complaints + 1] = words end)
  end

  local function read(name)
    local file <close> = assert(io.open(place.path .. "/" .. name))
    return file:read "a"
  end

  it("are both written at each look", function()
    local files <close> = assert(open { log = place.path .. "/log", prometheus = place.path .. "/prom" })
    files:write(LOOK)
    assert.matches('"what":"new"', read "log", 1, true)
    assert.matches("\nlunet_queue_depth{", read "prom")
    assert.same({}, complaints)
  end)

  it("are no pipes, which would wait for a reader", function()
    program.shell("mkfifo " .. place.path .. "/pipe")
    for _, name in ipairs { "log", "prometheus" } do
      local files, why = open { [name] = place.path .. "/pipe" }
      assert.is_nil(files)
      assert.equal(("--%s: %s/pipe is no regular file"):format(name, place.path), why)
    end
  end)

  it("say why they cannot be written", function()
    local files, why = open { prometheus = place.path .. "/none/prom" }
    assert.is_nil(files)
    assert.matches("^%-%-prometheus: .*/none/prom: No such file or directory$", why)
  end)

  it("complain once when one cannot be written any more, and write the other one", function()
    program.shell("mkdir " .. place.path .. "/folder")
    local files <close> = assert(open { log = place.path .. "/log", prometheus = place.path .. "/folder/prom" })
    files:write(LOOK)
    program.shell("rm -r " .. place.path .. "/folder")
    for _ = 1, 2 do files:write { time = 2, clients = {}, listeners = {} } end
    assert.equal(1, #complaints)
    assert.matches("^queues: %-%-prometheus: ", complaints[1])
    assert.is_true(files.has_failed)
    assert.matches('"what":"gone"', read "log", 1, true)
  end)
end)
