local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"

describe("a rule of the home host", function()
  it("is refused where that is the machine itself", function()
    local result = program.lunet [[
      print(select(2, require "lunet".drop {}))
    ]]
    assert.matches("^drop: the home host is the machine itself,.*%(EPERM%)\tEPERM\n$", result.output)
  end)

  it("can be had once the process has moved away from the machine, and only then", function()
    local result = program.lunet [[
      local lunet = require "lunet"
      local function home()
        local link <close> = io.popen "readlink /proc/self/ns/net"
        return link:read "a"
      end
      local machine = home()
      assert(lunet.host())
      local rule, _, code = lunet.drop { reject = "reset" }
      assert(home() == machine and code == "EPERM" or home() ~= machine and rule, code)
    ]]
    assert.same({ 0, "" }, { result.status, result.errors })
  end)

  it("can be had of a host made by lunet", function()
    local result = program.lunet [[
      local lunet = require "lunet"
      assert(require "lunet.core".set_home(assert(lunet.host "home")))
      local listener = assert(lunet.listen { backlog = 1 })
      local rule = assert(lunet.drop { reject = "reset" })
      print(rule, select(3, lunet.connect(listener, 10)))
      print(rule:lost())
      rule:close()
      assert(lunet.connect(listener, 10))
      print(lunet.drop { first = 0 })
    ]]
    assert.equal("rule on home: reject=reset\tECONNREFUSED\n1\t60\n", result.output)
    assert.matches("^lunet: [^\n]*:9: drop: first: a whole number", result.errors)
  end)

  it("says what is missing where libnftables is", function()
    local place <close> = scratch.open()
    place:write("libnftables.so.1", "no library\n")
    local script = place:write("script.lua", [[
      local host = require "lunet".host()
      print(host:drop {})
      print(#require "lunet".open_handles())
    ]])
    local result = program.shell(('LD_LIBRARY_PATH=%s "$LUNET" %s'):format(place.path, script))
    assert.matches("^nil\tdrop: the Debian package libnftables1 is needed: .*%(ENOPKG%)\tENOPKG\n", result.output)
    assert.matches("\n1\n$", result.output)
  end)
end)
