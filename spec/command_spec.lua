local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"

local LUNET = program.quote(os.getenv "LUNET")

describe("the first word of lunet's command line", function()
  local place
  before_each(function() place = scratch.open() end)
  after_each(function() place:close() end)

  local function run(words) return program.shell(("cd %s && exec %s %s"):format(place.path, LUNET, words)) end

  -- As `lunet --help` lists them.
  local function commands()
    local names = {}
    for name in run "--help".output:gmatch "\n  lunet ([a-z-]+) +[^\n]*" do names[#names + 1] = name end
    return names
  end

  local function is_help_of(name, text) return text:find("Usage: lunet " .. name, 1, true) == 1 end

  it("names a command of those that lunet --help lists, each with a help of its own", function()
    assert.same("doctor", commands()[1])
    for _, name in ipairs(commands()) do
      local help = run(name .. " --help")
      assert.same({ 0, "" }, { help.status, help.errors })
      assert.is_true(is_help_of(name .. " ", help.output))
    end
  end)

  it("is the command even where a file has its name: that is ./COMMAND, or an absolute path", function()
    for _, name in ipairs(commands()) do
      place:write(name, ("print 'the file %s'"):format(name))
      assert.is_true(is_help_of(name, run(name .. " --help").output))
      assert.is_true(is_help_of(name, run("-- " .. name .. " --help").output))
      for _, file in ipairs { "./" .. name, place.path .. "/" .. name } do
        assert.same({ status = 0, output = ("the file %s\n"):format(name), errors = "" }, run(file))
      end
    end
  end)

  it("is no command of users if lunet itself starts it", function()
    assert.not_matches("sweep-worker", run "--help".output, 1, true)
    for _, words in ipairs { "", " script.lua", " a b c" } do
      local refused = run("sweep-worker" .. words)
      assert.same({ 2, "lunet: sweep-worker: lunet sweep starts this command, with a script and a directory\n" },
        { refused.status, refused.errors })
    end
  end)

  it("is a file if it names no command", function()
    place:write("dcotor", "print 'a file'")
    assert.same({ status = 0, output = "a file\n", errors = "" }, run "dcotor")
  end)

  it("is refused with both lacks named if it is neither, with status 2", function()
    local errors = "lunet: cannot open dcotor: No such file or directory, and there is no such command (known: "
      .. table.concat(commands(), ", ") .. ")\n"
    for _, words in ipairs { "dcotor", "dcotor --help", "-- dcotor" } do
      assert.same({ status = 2, output = "", errors = errors }, run(words))
    end
  end)

  it("is not taken for a command if it is a path, or the file is there and cannot be read", function()
    for _, word in ipairs { "./dcotor", "dcotor.lua", "no/doctor" } do
      local errors = ("lunet: cannot open %s: No such file or directory\n"):format(word)
      assert.same({ status = 2, output = "", errors = errors }, run(word))
    end
    local unreadable = program.shell(("cd /proc/self && exec %s mem"):format(LUNET))
    assert.equal("lunet: cannot read mem: Input/output error\n", unreadable.errors)
  end)
end)
