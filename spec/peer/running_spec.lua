local lunet = require "lunet"
local raised = require "spec.support.raised"
local nobody = require "lunet.peer.nobody"
local running = require "lunet.peer.running"
local scratch = require "lunet.peer.scratch"

local BOUND <const> = require "spec.support.bound"

describe("a program in a place", function()
  local host, place, one

  before_each(function()
    host, place = assert(lunet.host "host"), scratch.open()
    nobody.let_in(host, place)
    one = setmetatable({ description = { logged = { "said (%w+) to (%w+)", "ended" } }, name = "one", host = host,
      place = place, words = { PLACE = place.path, PORT = "7300" }, printed = "" }, running)
  end)
  after_each(function()
    place:close()
    host:close()
    assert.same({}, lunet.open_handles())
  end)

  it("has files in which upper-case words stand for values", function()
    assert.equal(place.path .. "/conf", one:write("conf", "listen PORT; log PLACE/log; PORTS EMPORT aPORT PORTs OTHER"))
    assert.equal(("listen 7300; log %s/log; PORTS EMPORT aPORT PORTs OTHER"):format(place.path), one:file "conf")
    assert.equal("", one:file "none")
  end)

  it("has a log: the text that it printed, and its file", function()
    one.process = assert(host:exec { "sh", "-c", "echo said yes to you; exec sleep 60" })
    place:write("log", "filed\n")
    assert.is_true(lunet.eventually(function() return one:log() == "said yes to you\nfiled\n" end, BOUND))
    assert.equal("yes you", one:logged(one:log()))
    assert.equal("yes you, ended", one:logged "said yes to you; ended")
    assert.equal("nothing", one:logged "filed")
    one.process:close()
    one.process = {} -- a rule of the kernel's has no output
    assert.equal("said yes to you\nfiled\n", one:log())
  end)

  it("has a log, even if it prints faster than that is read", function()
    local part = ("Too many open files\n"):rep(4096)
    one.process = { stdout = { receive = function() return part end } }
    assert.equal(part, one:log():sub(1, #part))
  end)

  it("runs other programs as the same user, and raises what they say if they fail", function()
    one:run { "sh", "-c", "id -u >user; mktemp >temporary" }
    assert.not_equal("0\n", one:file "user")
    assert.equal(place.path, one:file("temporary"):match "^(.*)/[^/]+\n$")
    assert.equal("sh ended with 3: no way\n", raised(one.run, one, { "sh", "-c", "echo no way; exit 3" })
      :gsub("^.*/(sh)", "%1"))
    assert.matches("no-such-program is missing", raised(one.run, one, { "no-such-program" }), 1, true)
  end)
end)
