-- Standard output that takes nothing more: whatever lunet prints there, the loss is an error.
local program = require "spec.support.program"

describe("output to a full disk is an error, in one line, with status 3,", function()
  local experiment = os.getenv "LUNET_SOURCE" .. "/experiments/stale_replay.lua"
  local directory = os.getenv "LUNET_SOURCE" .. "/experiments"
  local cases = {
    ["of --help"] = "--help",
    ["of --version"] = "--version",
    ["of a statement"] = "-e 'print(1)'",
    ["of a statement, in the buffer until the end"] = "-e 'io.write(1)'",
    ["of the prompt"] = "-i",
    ["of an experiment's --help"] = experiment .. " --help",
    ["of an experiment's story"] = experiment,
    ["of an experiment's --json"] = experiment .. " --json",
    ["of a directory's --help"] = directory .. " --help",
  }
  for what, arguments in pairs(cases) do
    it(what, function()
      local result = program.shell(('exec "$LUNET" %s >/dev/full'):format(arguments))
      assert.equal(3, result.status)
      assert.matches("^lunet: [^\n]*standard output: [^\n]+\n$", result.errors)
    end)
  end

  it("but does not hide another error", function()
    local result = program.shell [[exec "$LUNET" -e 'print(1) error "no luck"' >/dev/full]]
    assert.equal(1, result.status)
    assert.matches("no luck", result.errors, 1, true)
  end)
end)
