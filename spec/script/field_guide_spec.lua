local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"

local SCRIPT <const> = os.getenv "LUNET_SOURCE" .. "/script/field-guide"

-- script/field-guide in a tree of its own, whose other scripts and lunet only say what they are asked for. Each run of
-- lunet ends with a status of its own.
local LUNET <const> = [=[
#!/bin/bash
[[ $1 != - ]] || { echo "makes $2 into $3: $(cat)"; exit; }
echo "{ \"of\": \"$*\" }"
exit 1
]=]

describe("script/field-guide", function()
  local place, tree

  local function write(name, text) program.shell("chmod +x " .. place:write("tree/" .. name, text)) end

  local function run(words) return program.shell(("'%s/script/field-guide' %s"):format(tree, words)) end

  before_each(function()
    place = scratch.open()
    tree = place.path .. "/tree"
    local script <close> = assert(io.open(SCRIPT))
    write("script/field-guide", script:read "a")
    write("script/packages", "#!/bin/sh\n")
    write("script/build", "#!/bin/sh\n")
    write("build/release/lunet", LUNET)
    place:write("tree/experiments/servers/server_limits.lua", "")
    place:write("tree/experiments/servers/stuck_servers.lua", "")
  end)
  after_each(function() place:close() end)

  it("makes the pages of the records in the tree, or in another directory", function()
    local result = run ""
    assert.equal(0, result.status, result.errors)
    local pages = ('makes %s/doc/field-guide into doc: require("lunet.report.guide")'):format(tree)
    assert.equal(1, result.output:find(pages, 1, true), result.output)
    assert.matches("^makes .*/elsewhere into doc: ", run(("'%s/elsewhere'"):format(place.path)).output)
  end)

  it("runs first the experiments that there are, if it is told to, and keeps what did not hold", function()
    local result = run "--run"
    assert.equal(0, result.status, result.errors)
    assert.matches("running server_limits \n.*running stuck_servers %-%-server all", result.errors)
    assert.matches("experiments/servers/server_limits.lua %-%-record none %-%-json",
      place:read "tree/doc/field-guide/server_limits.json")
    assert.matches("%-%-server all", place:read "tree/doc/field-guide/stuck_servers.json")
    assert.is_nil(io.open(tree .. "/doc/field-guide/forwarders.json"))
  end)

  it("runs only those that it is told to", function()
    local result = run "--run=stuck_servers,server_limits"
    assert.equal(0, result.status, result.errors)
    assert.matches("running server_limits .*running stuck_servers ", result.errors)
    result = run "--run=stuck_servers"
    assert.not_matches("server_limits", result.errors)
    assert.matches("running stuck_servers ", result.errors)
  end)

  it("tells wrong use", function()
    for words, why in pairs { ["--run=nonsense"] = "nonsense", ["--run=server_limits,servers"] = "servers" } do
      local result = run(words)
      assert.equal(2, result.status, words)
      assert.matches("^%-%-run: there is no record '" .. why .. "': server_limits frozen_servers client_patience ",
        result.errors)
    end
    for _, words in ipairs { "one two", "--nonsense", "--run --run" } do
      local result = run(words)
      assert.equal(2, result.status, words)
      assert.matches("^usage: script/field%-guide", result.errors)
    end
    assert.matches("^usage: script/field%-guide", run("--help").output)
  end)
end)
