--- Shell scripts in a setting that another script makes from nothing: spec/support/slurm.sh, spec/support/two_sshd.sh.
local lunet = require "lunet"
local program = require "spec.support.program"

local scenario = {}

local BOUND <const> = 900 -- s; the longest takes a minute on a quiet machine

--- An experiment whose outcome its knobs tell. Each run leaves a file begun-SEED-TIME in `place`; from the seed `gate`
--- on it waits there for the file go.
scenario.FAKE = [[
  local lunet = require "lunet"
  local function exists(path) return os.rename(path, path) end
  return require "lunet.experiment" {
    claim = "A backlog of n takes n + 1 connections.",
    knobs = { backlog = { 5, "connections", "", min = 0 }, gate = { 1, "seed", "" }, place = { ".", "", "" },
      seed = { 1, "number", "" } },
    run = function(knobs)
      local listener <close> = assert(lunet.listen { backlog = knobs.backlog })
      local clients <const> = {}
      for i = 1, knobs.backlog + 1 do clients[i] = assert(lunet.connect(listener)) end
      io.open(("%s/begun-%d-%.9f"):format(knobs.place, knobs.seed, lunet.now()), "w"):close()
      assert(knobs.seed < knobs.gate or lunet.eventually(function() return exists(knobs.place .. "/go") end, 300))
      return { depth = listener:queue().depth, seed = knobs.seed }
    end,
    check = function(outcome, knobs) assert(outcome.depth == knobs.backlog + 1) end,
  }]]

-- For all scenarios. `$LUNET` is a copy of the build: another user may have no way to the build itself.
local COMMON <const> = [=[
  LUNET=$PWD/lunet/lunet
  has_begun() { [[ $(find . -maxdepth 1 -name "begun-$1-*" | wc -l) -ge $2 ]]; }
  has_runs() { [[ $(find "$1/runs" -name '*.json' | wc -l) -ge $2 ]]; }
  is_done() { $LUNET sweep --status "$1" >/dev/null; }
]=]

--- Whether all of these programs are here.
---@param names string "sbatch munged"
---@return boolean
function scenario.has(names)
  return program.shell("for name in " .. names .. "; do command -v $name || exit 1; done").status == 0
end

--- Runs a script in a directory, and prints what it says, for ctest keeps that.
---@param place lunet.scratch
---@param setting string "slurm" or "two_sshd"
---@param text string for bash; it ends at the first command that fails
---@return integer|string status
---@return string output
function scenario.run(place, setting, text)
  assert(os.execute(("mkdir %s/lunet && cd '%s' && cp -rL lunet libexec share %s/lunet/"):format(place.path,
    os.getenv "LUNET_BUILD", place.path)))
  local path = place:write("scenario.sh", COMMON .. text)
  local process <close> = assert(lunet.exec { "bash", ("%s/spec/support/%s.sh"):format(os.getenv "LUNET_SOURCE",
    setting), place.path, path, stdin = "null", stderr = "stdout" })
  local output = assert(process.stdout:receive("a", BOUND))
  print(output)
  return process:wait(BOUND), output
end

return scenario
