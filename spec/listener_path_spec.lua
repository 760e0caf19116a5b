local lunet = require "lunet"
local eventually = require "spec.support.eventually"
local families = require "spec.support.families"

local BOUND <const> = require "spec.support.bound"

local function depth_of(listener)
  return assert(listener:queue()).depth
end

-- Connects and waits until the listener has it in its queue: the client is done with the handshake
-- first, and under load the kernel may leave the server's part of it to ksoftirqd.
local function enqueue(listener)
  local depth = depth_of(listener) + 1
  local connection = assert(lunet.connect(listener, BOUND))
  eventually(function() return depth_of(listener) == depth end)
  return connection
end

local function exists(path)
  return (os.rename(path, path)) -- io.open cannot open a socket
end

setup(families.open)
teardown(families.close)

describe("the path of a Unix listener", function()
  local path
  before_each(function() path = families.path() end)
  after_each(function() assert.same({}, lunet.open_handles()) end)

  local function listen()
    return lunet.listen { backlog = 5, address = "unix:" .. path }
  end

  it("is there while it listens, and is removed when it is closed", function()
    local listener <close> = assert(listen())
    assert.equal("unix:" .. path, (listener:address()))
    assert.is_true(exists(path))
    listener:close()
    assert.is_nil(exists(path))
    local _again <close> = assert(listen())
  end)

  it("stays if it is another's by then", function()
    local first <close> = assert(listen())
    assert(os.remove(path))
    local second <close> = assert(listen())
    first:close()
    assert.is_true(exists(path))
    local _near <close> = enqueue(second)
  end)

  it("stays if a file has replaced it", function()
    local listener <close> = assert(listen())
    assert(os.remove(path))
    assert(assert(io.open(path, "w")):close())
    listener:close()
    assert.is_true(os.remove(path))
  end)

  it("may be gone already", function()
    local listener <close> = assert(listen())
    assert(os.remove(path))
    assert.is_true(listener:close())
  end)

  it("must be free, even if nobody listens there", function()
    assert(assert(io.open(path, "w")):close())
    local listener, message, code = listen()
    assert.is_nil(listener)
    assert.equal("EADDRINUSE", code)
    assert.matches("unix:" .. path, message, 1, true)
    assert.is_true(os.remove(path))
  end)

  it("must be in a directory that exists", function()
    path = path .. "/nowhere"
    local listener, message, code = listen()
    assert.is_nil(listener)
    assert.equal("ENOENT", code)
    assert.matches("unix:" .. path, message, 1, true)
  end)

  it("is at most 107 bytes long", function()
    path = path .. "-" .. ("x"):rep(106 - #path)
    local longest <close> = assert(listen())
    assert.equal("unix:" .. path, (longest:address()))
    local _near <close> = enqueue(longest)
    path = path .. "x"
    assert.error_matches(listen, "a path of 1 to 107 bytes expected")
    path = ""
    assert.error_matches(listen, "a path of 1 to 107 bytes expected")
  end)
end)
