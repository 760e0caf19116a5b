local core = require "lunet.core"
local eventually = require "spec.support.eventually"
local lunet = require "lunet"
local owners = require "lunet.queues.owners"

local BOUND <const> = require "spec.support.bound"

local LUNET <const> = os.getenv "LUNET"
local LISTENS <const> = [[
assert(require "lunet".listen { address = "unix:@lunet", backlog = 3 })
print "up" io.flush() io.read()]]

local function number_of_this_process() return math.tointeger(core.read_file(nil, "/proc/self/stat"):match "^%d+") end

describe("owners", function()
  local host
  before_each(function() host = assert(lunet.host "server") end)
  after_each(function()
    host:close()
    assert.same({}, lunet.open_handles())
  end)

  it("finds the process that holds a socket, and nobody for another number", function()
    local listener = assert(host:listen { backlog = 3 })
    local inode = core.survey(host).queues[1].listeners[1].inode
    local found = owners.new():find { inode, 1 }
    assert.equal(number_of_this_process(), found[inode].pid)
    assert.is_string(found[inode].program)
    assert.is_nil(found[1])
    listener:close()
  end)

  -- In another process, since this one waits for nobody during a search.
  it("finds it while other processes end", function()
    local listener = assert(host:listen { backlog = 3 })
    local inode = core.survey(host).queues[1].listeners[1].inode
    local process <close> = assert(lunet.exec { "sh", "-c", "i=0; while [ $i -lt 1000 ]; do (:); i=$((i+1)); done" })
    repeat
      assert.is_table(assert(core.socket_owners { inode, 1 })[inode])
    until process:wait(0)
    listener:close()
  end)

  it("searches once for each socket, and again when its process has ended", function()
    local process = assert(host:exec { LUNET, "-e", LISTENS, stdin = "pipe" })
    assert.equal("up", process.stdout:receive("l", BOUND))
    local inode = core.survey(host).paths[1].inode
    local known, searched = owners.new(), 0
    local search = core.socket_owners
    core.socket_owners = function(inodes)
      searched = searched + #inodes
      return search(inodes)
    end
    local first, second = known:find { inode, 1 }, known:find { inode, 1 }
    process:close()
    eventually(function() return not core.read_file(nil, ("/proc/%d/comm"):format(first[inode].pid)) end)
    local third = known:find { inode, 1 }
    core.socket_owners = search
    assert.equal("lunet", first[inode].program)
    assert.same(first, second)
    assert.same({ {}, 3 }, { third, searched })
  end)
end)
