-- A sweep by GNU parallel over two SSH servers, one of which dies in its midst: the same pipe does the rest.
local lunet = require "lunet"
local program = require "spec.support.program"
local scenario = require "spec.support.scenario"
local scratch = require "lunet.peer.scratch"
local store = require "lunet.sweep.store"

local RUNS <const> = 24

-- Runs wait from the third of each point on; so both servers have some under way when one of them dies. `before` has
-- the records of then. GNU parallel gives all that is left to a host that is dead, since that fails fastest; with
-- --retries it gives a job that has failed to the other host.
local SCENARIO <const> = [[
  printf '2/ssh -F %s %s\n' "$PWD/ssh/config" h1 "$PWD/ssh/config" h2 >hosts
  pipe() { $LUNET sweep --list out | parallel --will-cite --joblog out/joblog --sshloginfile hosts "$@"; }
  $LUNET sweep fake.lua --backlog 1..4 --gate 3 --place "$PWD" --runs 6 --into out --plan
  pipe & parallel=$!
  wait_for has_runs out 8
  wait_for has_begun 3 4
  cp -r out/runs before
  kill_server h2
  touch go
  status=0
  wait $parallel || status=$?
  echo "parallel ends with $status"
  cp out/joblog first
  $LUNET sweep --status out || true
  pipe --retries 2
  cut -f 2,7 first out/joblog | sort | uniq -c
  $LUNET sweep --status out
]]

describe("a sweep by parallel over two SSH servers, one of which dies, #slow", function()
  it("loses no run, and counts none twice", function()
    if program.shell("id -u").output ~= "0\n" then
      print "parallel over two SSH servers: only root can start them, so this was not run"
      return
    end
    if not scenario.has "parallel" or not scenario.has "sshd ssh" then
      return pending "parallel or sshd is not installed (script/packages sweep)"
    end
    local place <close> = scratch.open()
    place:write("fake.lua", scenario.FAKE)
    local status, output = scenario.run(place, "two_sshd", SCENARIO)
    assert.equal(0, status)
    assert.matches("parallel ends with [1-9]", output)
    assert.matches("h2\t255\n", output) -- in joblog: hosts and exit statuses
    local runs = store.new(place.path .. "/out")
    assert.equal(RUNS, #runs:names())
    local before = 0
    for _, name in ipairs(runs:names()) do
      local record = runs:read(name)
      assert.same({ "done", 1, { depth = record.knobs.backlog + 1, seed = record.seed } },
        { record.state, record.attempt, record.outcome })
      local ok, text = pcall(place.read, place, ("before/%s.json"):format(name))
      if ok and text then
        before = before + 1
        assert.equal(text, place:read(("out/runs/%s.json"):format(name)))
      end
    end
    assert.equal(8, before)
    assert.same({}, lunet.open_handles())
  end)
end)
