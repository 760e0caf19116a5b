local dkjson = require "dkjson"
local guest = require "spec.support.guest"
local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"

local EXPERIMENT = "experiments/connect_without_accept.lua"

local in_guest = guest.specs(_ENV)

describe("lunet --kernel", function()
  local place
  before_each(function() place = scratch.open() end)
  after_each(function() place:close() end)

  local function lunet(words)
    return program.shell(("XDG_CACHE_HOME=%s exec %s %s"):format(place.path, program.quote(os.getenv "LUNET"), words))
  end

  for words, message in pairs {
    [""] = "missing argument 'version'",
    ["6.1"] = "missing argument 'script'",
    ["6.1 --magic " .. EXPERIMENT] =
      "unknown option '--magic' (known: --help, --virtual-time, --kvm, --as-user, --ipv6)",
    ["--ipv6=some 6.1 " .. EXPERIMENT] = "must be one of 'on', 'off', 'absent'",
    ["--kvm --virtual-time 6.1 " .. EXPERIMENT] = "can not be used together with option '--kvm'",
    ["all " .. EXPERIMENT .. " --report x.html"] = "all kernels have no --report",
    ["6.1 " .. EXPERIMENT .. " --open"] = "a guest has no browser for --open: take --report FILE, and open that",
  } do
    it(("refuses '%s'"):format(words), function()
      local result = lunet("--kernel " .. words)
      assert.same({ 2, "" }, { result.status, result.output })
      assert.matches("^lunet: %-%-kernel: [^\n]+\n$", result.errors)
      assert.matches(message, result.errors, 1, true)
    end)
  end

  it("says that a word is no version, and fetches nothing for it", function()
    local result = lunet("--kernel newest " .. EXPERIMENT)
    assert.same({ 3, "", "lunet: --kernel: newest is no version of Linux, such as 6.1\n" },
      { result.status, result.output, result.errors })
  end)

  it("asks first whether its files can be written", function()
    local result = lunet(("--kernel 6.1 %s --report /no/such/report.html"):format(EXPERIMENT))
    assert.same({ 3, "" }, { result.status, result.output })
    assert.matches("^lunet: %-%-kernel: %-%-report: /no/such/report.html: No such file", result.errors)
  end)

  it("shows its help", function()
    local result = lunet "--kernel --help"
    assert.same({ 0, "" }, { result.status, result.errors })
    assert.matches("--as-user", result.output, 1, true)
  end)

  in_guest("gives back the record and the files as if it had run here", function()
    local report, trace = place.path .. "/report.html", place.path .. "/trace.jsonl"
    local output, status = guest.run("--as-user", EXPERIMENT, "--json", "--report", report, "--trace=" .. trace)
    local record = dkjson.decode((output:gsub("^lunet: [^\n]+\n", "")))
    assert.equal(record.verdict == "holds" and 0 or 4, status)
    assert.matches("^Linux 6%.1%.", record.environment.kernel)
    assert.same({ engine = "user-mode Linux", clock = "real" },
      { engine = record.environment.guest.engine, clock = record.environment.guest.clock })
    assert.not_equal(0, record.environment.guest.uid)
    assert.matches("<html", place:read "report.html", 1, true)
    assert.matches('"verdict"', place:read "trace.jsonl", 1, true)
  end)

  in_guest("gives back the exit status and the complaints of lunet in the guest", function()
    local output, status = guest.run(EXPERIMENT, "--patience", "much")
    assert.equal(2, status)
    assert.matches("\nlunet: connect_without_accept: .*much", output)
    output, status = guest.run "no/such/file.lua"
    assert.equal(2, status)
    assert.matches("no/such/file.lua", output, 1, true)
  end)

  in_guest("runs a directory", function()
    place:write("one.lua", [[return require "lunet.experiment" { claim = "It is so.", knobs = {},
      run = function() return { so = true } end, check = function() end }]])
    assert(os.execute("chmod -R a+rX " .. place.path))
    local output, status = guest.run(place.path, "--json")
    assert.equal(0, status, output)
    assert.matches('"experiment":"one"', output, 1, true)
  end)
end)
