-- That the runner works: what it measures is nobody's promise.
local dkjson = require "dkjson"
local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"

local RUN = ("'%s' bench/run.lua "):format(os.getenv "LUNET")

local function output_of(arguments)
  local pipe <close> = assert(io.popen(RUN .. arguments .. " 2>&1"))
  local output = pipe:read "a"
  return output, select(3, pipe:close())
end

describe("bench/run", function()
  it("lists the workloads and the peers", function()
    local output, status = output_of "--list"
    assert.equal(0, status, output)
    assert.matches("\nghosts +", output)
    assert.matches("\ncqueues +", output)
  end)

  it("refuses a workload that there is not", function()
    local output, status = output_of "chrun-1"
    assert.equal(2, status)
    assert.matches("no workload is named 'chrun%-1'", output)
  end)

  it("measures a round, stores it with its environment, and compares", function()
    local path = os.tmpname()
    local output, status = output_of(("--tiny --rounds 1 --store '%s' trace"):format(path))
    assert.equal(0, status, output)
    local file <close> = assert(io.open(path))
    local stored = dkjson.decode(file:read "a")
    assert.is_true(stored.results.trace.on.rate[1] > 0)
    assert.is_string(stored.environment.kernel)
    output, status = output_of(("--tiny --rounds 1 --store '%s' --compare '%s' trace"):format(path, path))
    os.remove(path)
    assert.equal(0, status, output)
    assert.matches("\ntrace +on +rate", output)
  end)

  it("measures another lunet beside this one", function()
    local path, build = os.tmpname(), os.getenv "LUNET":match "^(.*)/"
    local output, status = output_of(("--tiny --rounds 3 --first lunet --store '%s' --against '%s' trace"):format(path,
      build))
    os.remove(path)
    assert.equal(0, status, output)
    assert.matches("\nother lunet, on +[%d.e+]+ +[%d.]+ %([%d.]+%-[%d.]+%)", output)
  end)

  it("goes on without another lunet that lacks what a workload needs", function()
    local path, place <close> = os.tmpname(), scratch.open()
    program.shell("chmod +x " .. place:write("lunet", "#!/bin/sh\nexit 3\n"))
    local output, status = output_of(("--tiny --rounds 1 --store '%s' --against '%s' trace"):format(path, place.path))
    os.remove(path)
    assert.equal(0, status, output)
    assert.matches("bench/run: trace without other lunet, on: .* ended with 3", output)
    assert.matches("\non +", output)
  end)

  it("refuses another lunet that is not there, and a first peer that there is not", function()
    local output, status = output_of "--against no/such idle"
    assert.equal(2, status)
    assert.matches("bench/run: there is no .*/no/such/lunet", output)
    output, status = output_of "--first nobody idle"
    assert.not_equal(0, status)
    assert.matches("no peer is named 'nobody'", output)
  end)

  it("prints stored results as a table: ratios within rounds, and figures of the first peer", function()
    local path = os.tmpname()
    local file <close> = assert(io.open(path, "w"))
    file:write(dkjson.encode { results = {
      ["churn-1"] = { libuv = { cpu_rate = { 1000, 2000, 500 } }, lunet = { cpu_rate = { 900, 2200, 500 } } },
      idle = { libuv = { bytes = { 643 } }, lunet = { bytes = { 2000 } } },
    } })
    file:close()
    local output, status = output_of(("--table '%s'"):format(path))
    os.remove(path)
    assert.equal(0, status, output)
    assert.matches("\n| churn%-1 | 1000 | %- | %- | 1%.00 %(0%.90%-1%.10%) |", output)
    assert.matches("\n| idle: bytes a pair | 643 | %- | %- | 2000 |", output)
  end)

  it("refuses a file that holds no results", function()
    for path, why in pairs { ["no/such.json"] = "No such file", ["/dev/null"] = "no results as %-%-store writes" } do
      local output, status = output_of("--table " .. path)
      assert.equal(2, status)
      assert.matches("bench/run: " .. path .. ": " .. why, output)
    end
  end)
end)
