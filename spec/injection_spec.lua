local injector = require "spec.injection.injector"
local lunet = require "lunet"

local function file_of(text)
  local path = os.tmpname()
  local file <close> = assert(io.open(path, "w"))
  assert(file:write(text))
  return path
end

-- An experiment that looks at no error of what it opens. A run opens a file more or less, as the undertaker has a spare
-- namespace for it or not. So the number of a call is not that of the same call in the next run. One of twenty is hit.
local function careless(extra)
  return file_of([[
    return require "lunet.experiment" { claim = "A file is there.", run = function()
      local lunet = require "lunet"
      local before = lunet.listen { backlog = 1 }
      ]] .. extra .. [[
      local has_file = true
      for _ = 1, 20 do has_file = io.open "/etc/hostname" ~= nil and has_file end
      return { has_file = has_file, listens = before ~= nil }
    end, check = function(outcome) assert(outcome.has_file, "there is no file") end }]])
end

describe("an injected fault", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  -- Injects each fault of a call, the last one first. Returns the complaints, or the first one alone. Only the runs
  -- with a fault have the patience.
  local function tried(path, call, code, patience, is_one_enough)
    local words, wrong = { path, "--json" }, {}
    local truth, calls, usual = injector.truth(words), injector.calls(words), injector.patience
    local _usual <close> = setmetatable({}, { __close = function() injector.patience = usual end })
    injector.patience = patience or usual
    for i = #calls, 1, -1 do
      local known = calls[i]
      if is_one_enough and wrong[1] then break end
      if known.call == call then
        local why = injector.try(words, { call = call, number = known.number, code = code }, truth)
        if why then wrong[#wrong + 1] = why end
      end
    end
    os.remove(path)
    return wrong
  end

  it("of lunet's own calls leaves the outcome as it was, or is what the run says", function()
    for _, call in ipairs { "bind", "listen", "unshare", "epoll_ctl" } do
      assert.same({}, tried(careless "", call, "ENOMEM"), call)
    end
  end)

  it("of a call at the edges of the core is told: dup2, fcntl, getdents64, getrandom, recvfrom #part_edges", function()
    local uses = {
      dup2 = "",
      getrandom = 'local _place <close> = require "lunet.peer.scratch".open()',
      fcntl = 'local process <close> = assert(lunet.exec { "true" }) process:wait(20)',
      getdents64 = 'local process <close> = assert(lunet.exec { "sleep", "1000" }) '
        .. "assert(#assert(process:tree()) == 1)",
      recvfrom = 'local rule <close> = assert(assert(lunet.host()):drop { port = 7100 })',
    }
    for call, use in pairs(uses) do
      assert.same({}, tried(careless(use .. "\n"), call, "ENOMEM"), call)
    end
  end)

  it("is told or does no harm in the processes that lunet starts #part_edges", function()
    local words = { "experiments/stale_replay.lua", "--patience", "0.01", "--json" }
    local truth = injector.truth(words)
    for _, call in ipairs { "sendto", "recvmsg", "close_range", "fcntl", "chdir", "setsid" } do
      for number = 1, 2 do
        local fault = { call = call, number = number, code = "ENOMEM", is_in_all = true }
        assert.is_nil(injector.try(words, fault, truth), injector.describe(words, fault))
      end
    end
  end)

  it("that an experiment takes for its own result is noticed #part_results", function()
    assert.same({ "a false verdict: does not hold, there is no file" },
      tried(careless "", "openat", "EMFILE", nil, true))
  end)

  it("that hangs or kills the run is noticed", function()
    local function noticed(extra, patience)
      for _ = 1, 8 do
        local wrong = tried(careless(extra), "bind", "EMFILE", patience)
        if wrong[1] then return wrong end
      end
      return {}
    end
    assert.same({ "hangs" }, noticed("if not before then while true do end end", 2))
    local wrong = noticed "if not before then os.execute('kill -SEGV $PPID') end"
    assert.is_truthy(wrong[1] and (wrong[1]:find "^dies by SIGSEGV" or wrong[1]:find "^the sanitizer:"), wrong[1])
  end)
end)
