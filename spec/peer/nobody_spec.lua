local lunet = require "lunet"
local nobody = require "lunet.peer.nobody"
local peer_process = require "lunet.peer.process"
local scratch = require "lunet.peer.scratch"

describe("a user without rights", function()
  local host

  before_each(function() host = assert(lunet.host "H") end)
  after_each(function()
    host:close()
    assert.same({}, lunet.open_handles())
  end)

  it("runs programs", function()
    local status, printed = peer_process.finish(host:exec(nobody.words { "id", "-u" }))
    assert.equal(0, status)
    assert.not_equal("0", printed:match "%d+")
  end)

  it("has a place to write to", function()
    local place <close> = scratch.open()
    nobody.let_in(host, place)
    assert.equal(0, peer_process.finish(host:exec(nobody.words { "touch", place.path .. "/mine" })))
  end)

  -- gccgo was killed, and its /tmp/cc*.s stayed.
  it("has its temporary files in its place", function()
    local place <close> = scratch.open()
    nobody.let_in(host, place)
    local status, path = peer_process.finish(host:exec(nobody.program({ "mktemp" }, place)))
    assert.equal(0, status)
    assert.equal(place.path, path:match "^(.*)/[^/]+\n$")
    status, path = peer_process.finish(host:exec(nobody.program({ "sh", "-c", "id -u; pwd" }, place, true)))
    assert.equal(0, status)
    assert.equal(select(2, peer_process.finish(host:exec { "id", "-u" })) .. place.path .. "\n", path)
  end)
end)
