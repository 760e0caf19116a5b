-- Every way of running an exclusive experiment takes the lock of the machine. Each case has a /dev/null and a /dev/zero
-- of its own, so that no run on this machine is in the way.
local program = require "spec.support.program"
local stage = require "spec.support.command_stage"

local LUNET <const> = program.quote(os.getenv "LUNET")

local ALONE <const> = [[
  return require "lunet.experiment" { claim = "It runs.", exclusive = true, run = function() return { a = 1 } end,
    check = function() end }]]

-- wait_for waits until a command succeeds; `hold` holds the lock until there is a file "free".
local FRAME <const> = [[
  cd PLACE && touch run turn && mount --bind run /dev/null && mount --bind turn /dev/zero || exit
  unset LUNET_EXCLUSIVE LUA_INIT LUA_INIT_5_4
  wait_for() {
    for _ in $(seq 600); do "$@" && return; sleep 0.05; done
    echo "waited in vain: $*"
  }
  flock /dev/null sh -c 'touch held; while [ ! -e free ]; do sleep 0.02; done' &
  wait_for test -e held
  : >err
  waits() { env --default-signal=INT "$@" >out 2>err & wait_for grep -q 'waits for process [0-9]* (flock ' err; }
]]

describe("an exclusive experiment", function()
  local place
  before_each(function()
    place = stage.open()
    place:write("one/alone.lua", ALONE)
    place:write("one/other.lua", ALONE)
  end)
  after_each(function() place:close() end)

  -- The output of a script whose lunet has to wait, of which the last line is its exit status.
  local function output_of(script)
    local result = program.shell_with_mounts(FRAME .. script, place.path)
    assert.equal("", result.errors)
    return result.output
  end

  local ways = {
    ["lunet FILE"] = { "%s one/alone.lua --json", '"verdict":"holds"' },
    ["lunet DIRECTORY"] = { "%s one", "2 of 2 claims hold" },
    ["lunet sweep"] = { "%s sweep one/alone.lua --runs 3 --into sweep", "3 of 3 runs done: 3 hold" },
    ["a script or a spec that calls it"] = { "%s -e 'print((select(2, dofile \"one/alone.lua\" {})))'", "^true\n" },
  }
  for name, way in pairs(ways) do
    it("waits for another one, and says for whom: " .. name, function()
      local output = output_of(("waits %s\ntouch free; wait $!; echo $?; cat out; grep -v waits err; "
        .. "grep -c waits err"):format(way[1]:format(LUNET)))
      assert.matches("^0\n", output)
      assert.matches(way[2], output:sub(3))
      assert.matches("\n1\n$", output) -- it says so once
    end)
  end

  it("ends by Ctrl-C while it waits", function()
    assert.equal("130\n", output_of(("waits %s one/alone.lua --json\nkill -INT $!; wait $!; echo $?; "
      .. "touch free; wait"):format(LUNET)))
  end)

  it("does not wait where whoever started it holds the lock", function()
    assert.equal("0\n", output_of(("LUNET_EXCLUSIVE=held %s one/alone.lua --json >out; echo $?; "
      .. "touch free; wait"):format(LUNET)))
  end)
end)
