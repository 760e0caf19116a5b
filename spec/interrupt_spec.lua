-- Signals that end lunet (core/binding/interrupt.c): with everything closed, and soon.
local lfs = require "lfs"
local lunet = require "lunet"
local scratch = require "lunet.peer.scratch"

local BOUND <const> = require "spec.support.bound"

local STATUSES <const> = { SIGINT = 130, SIGTERM = 143, SIGHUP = 129, SIGPIPE = 141 }

-- Ends by each of the signals, and runs what it has to close.
local CLOSING <const> = {
  ["a loop"] = "while true do end",
  ["a call that waits"] = "lunet.sleep(math.huge)",
  ["a loop in a task"] = "lunet.spawn(function() while true do end end) lunet.sleep(math.huge)",
}

-- Ends soon by each of the signals but SIGINT, whatever it does.
local STUBBORN <const> = {
  ["catches every error"] = "while true do pcall(function() while true do end end) end",
  ["loops in a plain coroutine"] = "coroutine.wrap(function() while true do end end)()",
  ["is in a C function that does not return"] = "string.find(('a'):rep(40), ('a*'):rep(40) .. 'b')",
  ["waits for its input"] = "io.read()",
}

local READY <const> = [[
  local lunet = require "lunet"
  local place <close> = require "lunet.peer.scratch".open()
  local _program = assert(lunet.exec { "sleep", "1000" })
  local _closed <close> = setmetatable({}, { __close = function() io.write "closed\n" end })
  local function say_ready()
    io.write(place.path, "\n")
    io.flush()
  end
]]
local AT_ONCE <const> = "say_ready() "


local function exists(path) return os.rename(path, path) == true end

-- The remover may be late on a busy machine: lunet waits for it half a second.
local function assert_gone(path)
  assert(lunet.eventually(function() return not exists(path) end, BOUND), path .. " is left")
end

describe("a signal", function()
  local function start(words)
    words.stdin, words.stderr = "pipe", "pipe"
    local process = assert(lunet.exec(words))
    return process, assert(process.stdout:receive("l", BOUND))
  end

  -- Starts a script, has the signal end it, and returns what it wrote on its streams.
  local function end_script(text, signal)
    local process <close>, path = start { os.getenv "LUNET", "-e", READY .. text }
    assert(process:kill(signal))
    assert.equal(STATUSES[signal], process:wait(BOUND))
    assert_gone(path)
    return process.stdout:receive("a", BOUND), process.stderr:receive("a", BOUND)
  end

  for signal in pairs(STATUSES) do
    for what, text in pairs(CLOSING) do
      it(signal .. " ends " .. what .. ", and what is open is closed", function()
        local output, errors = end_script(AT_ONCE .. text, signal)
        assert.equal("closed\n", output)
        if signal == "SIGPIPE" then assert.equal("", errors) return end
        local said = signal == "SIGINT" and "interrupted!" or "interrupted by " .. signal .. "!"
        assert.equal(said, errors:match "interrupted[^\n]*!")
      end)
    end
  end

  for _, signal in ipairs { "SIGTERM", "SIGHUP", "SIGPIPE" } do
    for what, text in pairs(STUBBORN) do
      it(signal .. " ends a script that " .. what .. ", and leaves no directory", function()
        end_script(AT_ONCE .. text, signal)
      end)
    end
  end

  it("that a script caught, and ended well, is its end all the same", function()
    local output = end_script([[pcall(function()
      say_ready()
      lunet.sleep(math.huge)
    end)
    io.write "caught\n"]], "SIGTERM")
    assert.equal("caught\nclosed\n", output)
  end)

  it("is not for a script under nohup", function()
    local process <close> = start { "nohup", os.getenv "LUNET", "-e",
      READY .. AT_ONCE .. "io.read() io.write 'still here\\n'" }
    assert(process:kill "SIGHUP")
    process.stdin:close()
    assert.equal(0, process:wait(BOUND))
    assert.equal("still here\nclosed\n", process.stdout:receive("a", BOUND))
  end)

  it("ends busted, though it takes every error for that of a test", function()
    local place <close> = scratch.open()
    place:write("a_spec.lua", [[for i = 1, 1000 do
      it("waits " .. i, function()
        io.write(require("lunet.peer.scratch").open().path, "\n")
        io.flush()
        require "lunet".sleep(math.huge)
      end)
    end]])
    local process <close>, path = start { "sh", "-c", 'exec "$LUNET" "$(command -v busted)" --output=TAP a_spec.lua',
      cwd = place.path }
    if not path:find "^/" then path = process.stdout:receive("l", BOUND) end
    assert.is_true(exists(path))
    assert(process:kill "SIGTERM")
    assert.equal(143, process:wait(BOUND))
    assert_gone(path)
  end)

  it("ends the prompt, in a line and between two", function()
    for _, line in ipairs { "while true do end\n", "" } do
      local process <close>, version = start { os.getenv "LUNET", "-i" }
      assert.matches("^lunet ", version)
      assert(process.stdin:send("io.write(require('lunet.peer.scratch').open().path, '\\n') io.flush()\n" .. line))
      local path = process.stdout:receive("l", BOUND):match "/.*"
      assert.is_true(exists(path))
      assert(process:kill "SIGTERM")
      assert.equal(143, process:wait(BOUND))
      assert_gone(path)
    end
  end)
end)

describe("an experiment that a signal ends #part_experiment", function()
  local place
  before_each(function()
    place = scratch.open()
    assert(lfs.mkdir(place.path .. "/tmp"))
  end)
  after_each(function() place:close() end)

  local FILES <const> = { "--report", "r.html", "--svg", "s.svg", "--pcap", "p.pcap", "--perfetto", "p.json" }

  -- Its temporary files are in tmp, the files of the run beside.
  local function start(file)
    return assert(lunet.exec(table.move(FILES, 1, #FILES, 3, {
      os.getenv "LUNET", file, cwd = place.path, env = { TMPDIR = place.path .. "/tmp" } })))
  end

  local function listed(path)
    local pipe <close> = assert(io.popen("ls -A " .. path .. " 2>/dev/null"))
    return pipe:read "a"
  end

  local EXPERIMENT <const> = [[
    local lunet = require "lunet"
    local experiment = require "lunet.experiment"
    return experiment {
      claim = "It runs.",
      run = function()
        local place <close> = require("lunet.peer.scratch").open()
        place:write("ready", "")
        lunet.sleep(math.huge)
      end,
      check = function() end,
    }]]

  local function is_running() return #listed(place.path .. "/tmp") > 0 end

  for _, signal in ipairs { "SIGINT", "SIGTERM", "SIGHUP", "SIGKILL" } do
    it("by " .. signal .. " leaves no file and no directory", function()
      local process <close> = start(place:write("experiment.lua", EXPERIMENT))
      assert(lunet.eventually(is_running, BOUND))
      assert(process:kill(signal))
      assert.equal(STATUSES[signal] or "SIGKILL", process:wait(BOUND))
      assert(lunet.eventually(function() return not is_running() end, BOUND))
      assert.equal("experiment.lua\ntmp\n", listed(place.path))
    end)
  end

  it("in a directory of them leaves nothing either", function()
    local file = place:write("experiments/one.lua", EXPERIMENT)
    place:write("experiments/two.lua", EXPERIMENT)
    for _, signal in ipairs { "SIGTERM", "SIGKILL" } do
      local process <close> = assert(lunet.exec { os.getenv "LUNET", file:match "^(.*)/",
        env = { TMPDIR = place.path .. "/tmp" } })
      assert(lunet.eventually(function()
        return select(2, listed(place.path .. "/tmp/*/*"):gsub("ready", "")) == 2
      end, BOUND))
      assert(process:kill(signal))
      assert(process:wait(BOUND))
      assert(lunet.eventually(function() return listed(place.path .. "/tmp") == "" end, BOUND))
    end
  end)

  it("since nobody reads its story leaves no file", function()
    local stale = os.getenv "LUNET_SOURCE" .. "/experiments/stale_replay.lua"
    local shell <close> = assert(lunet.exec { "bash", "-c", [["$@" --report r.html --svg s.svg | head -1 >/dev/null
      echo "${PIPESTATUS[0]}"]],
      "bash", os.getenv "LUNET", stale, cwd = place.path })
    assert.equal("141\n", shell.stdout:receive("a", BOUND))
    assert.equal("tmp\n", listed(place.path))
  end)
end)
