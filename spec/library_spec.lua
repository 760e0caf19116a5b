-- Where the program finds its Lua library (core/library.c), and what comes before it.
local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"

local quote = program.quote

describe("lunet's Lua library", function()
  local place
  before_each(function() place = scratch.open() end)
  after_each(function() place:close() end)

  local function shell(command)
    return program.shell(("cd %s && unset LUA_INIT LUA_PATH LUA_PATH_5_4 && %s"):format(quote(place.path), command))
  end

  local function make_program(directory)
    local copy = place:write(directory .. "/lunet", "")
    assert.equal(0, shell(("cp --remove-destination %s %s"):format(quote(os.getenv "LUNET"), copy)).status)
    return directory .. "/lunet"
  end

  local function make_library(directory)
    place:write(directory .. "/lunet/init.lua", "return 'the library of " .. directory .. "'")
  end

  local function assert_prints(expected, command)
    assert.same({ status = 0, output = expected .. "\n", errors = "" }, shell(command))
  end

  local PRINT <const> = " -e 'print((require \"lunet\"))'"

  it("is found beside the program in the build tree", function()
    make_library "tree/share/lua/5.4"
    assert_prints("the library of tree/share/lua/5.4", make_program "tree" .. " -E" .. PRINT)
  end)

  it("is found one floor up in an installation", function()
    make_library "prefix/share/lua/5.4"
    assert_prints("the library of prefix/share/lua/5.4", make_program "prefix/bin" .. PRINT)
  end)

  it("is found through a symbolic link to the program", function()
    make_library "real/share/lua/5.4"
    local linked = "ln -s " .. make_program "real/bin" .. " link && ./link"
    assert_prints("the library of real/share/lua/5.4", linked .. PRINT)
  end)

  it("is found whatever LUA_PATH is, and a file that LUA_PATH names comes first", function()
    make_library "tree/share/lua/5.4"
    make_library "mine"
    local lunet = make_program "tree"
    assert_prints("the library of tree/share/lua/5.4", "LUA_PATH='/none/?.lua' " .. lunet .. PRINT)
    for _, path in ipairs { "./mine/?/init.lua", "./mine/?/init.lua;;", ";;./mine/?/init.lua" } do
      assert_prints("the library of mine", ("LUA_PATH='%s' %s"):format(path, lunet) .. PRINT)
    end
    local set = [[ -e 'package.path = "./mine/?/init.lua;" .. package.path print((require "lunet"))']]
    assert_prints("the library of mine", lunet .. set)
  end)

  it("comes before one in the default path, where another lunet may be installed", function()
    make_library "tree/share/lua/5.4"
    place:write("lunet/init.lua", "return 'the one in ./'")
    assert_prints("the library of tree/share/lua/5.4", make_program "tree" .. PRINT)
  end)

  it("takes no other module from where it lies", function()
    make_library "tree/share/lua/5.4"
    place:write("tree/share/lua/5.4/mine.lua", "return 'installed'")
    place:write("src/mine.lua", "return 'of the user'")
    local lunet = make_program "tree"
    assert_prints("of the user", "LUA_PATH='./src/?.lua;;' " .. lunet .. " -e 'print((require \"mine\"))'")
    assert_prints("false", lunet .. " -e 'print((pcall(require, \"mine\")))'")
  end)

  it("says where it looked, and what is wrong with a file", function()
    make_library "tree/share/lua/5.4"
    place:write("tree/share/lua/5.4/lunet/broken.lua", "x =")
    local lunet = make_program "tree"
    local missing = shell(lunet .. " -e 'require \"lunet.missing\"'").errors
    assert.matches("no file '" .. place.path .. "/tree/share/lua/5.4/lunet/missing.lua'", missing, 1, true)
    assert.matches("error loading module 'lunet.broken' from file", shell(lunet .. " -l lunet.broken").errors, 1, true)
  end)

  it("lies beside the experiments and the documents, which lunet --help names where they are", function()
    make_library "prefix/share/lua/5.4"
    local lunet = make_program "prefix/bin"
    assert.not_matches("\n%u%l+: ", shell(lunet .. " --help").output:match "SIGHUP%.(\n.*)$")
    place:write("prefix/share/lunet/experiments/mine.lua", "")
    place:write("prefix/share/doc/lunet/README.md", "")
    local share = place.path .. "/prefix/share"
    assert.equal(("\nExperiments: %s/lunet/experiments\nDocuments: %s/doc/lunet\n"):format(share, share),
      shell(lunet .. " --help").output:match "SIGHUP%.(\n.*)$")
  end)

  it("leaves package.path as the stock interpreter has it", function()
    for _, environment in ipairs { "", "LUA_PATH=x ", "LUA_PATH='x;;y' ", "LUA_PATH_5_4=y LUA_PATH=x " } do
      local ask = " -e 'print(package.path)'"
      assert.equal(shell(environment .. quote(os.getenv "LUA") .. ask).output,
        shell(environment .. quote(os.getenv "LUNET") .. ask).output)
    end
  end)

  it("has its core linked in", function()
    local result = shell(quote(os.getenv "LUNET") .. [[ -E -e 'print(type(package.preload["lunet.core"]))
      require "lunet" print(package.loaded["lunet.core"] ~= nil)']])
    assert.same({ status = 0, output = "function\ntrue\n", errors = "" }, result)
  end)
end)
