-- How lunet differs from a stock lua5.4: as doc/stock_lua.md says, line by line; and where both find a script's files.
local program = require "spec.support.program"
local scratch = require "lunet.peer.scratch"

local quote = program.quote

local EXPERIMENT <const> = [[
  local experiment = require "lunet.experiment"
  local it = experiment { claim = "It is.", run = function() return { n = 1 } end, check = function() end }
  if ... == "call" then print(it().n) end
  return it
]]

-- The lines of the list: what differs, a command, and what each of the two shows for it.
local function listed()
  local rows = {}
  for line in io.lines(os.getenv "LUNET_SOURCE" .. "/doc/stock_lua.md") do
    local what, command, ours, theirs = line:match "^| (.-) | `(.-)` | ([^|]*) | ([^|]*) |$"
    if what then rows[#rows + 1] = { what = what, command = command:gsub("\\|", "|"), lunet = ours, stock = theirs } end
  end
  return rows
end

describe("the list of what differs from a stock lua5.4", function()
  local place
  setup(function()
    place = scratch.open()
    place:write("experiment.lua", EXPERIMENT)
  end)
  teardown(function() place:close() end)

  local build = os.getenv "LUNET_BUILD"
  local with_module = ("LUA_PATH=%s LUA_CPATH=%s "):format(
    quote(("%s/share/lua/5.4/?.lua;%s/share/lua/5.4/?/init.lua;;"):format(build, build)),
    quote(build .. "/lib/lua/5.4/?.so;;"))

  -- Only the experiment is told where the module is: the others show where a stock interpreter looks by itself.
  local function run(interpreter, command, needs_module)
    local preload = needs_module and os.getenv "LUNET_PRELOAD"
    local words = (needs_module and with_module or "") .. (preload and "LD_PRELOAD=" .. quote(preload) .. " " or "")
    command = command:gsub("%f[%w]P%f[ ]", function() return words .. quote(interpreter) end)
    return program.shell(("cd %s; unset LUA_INIT LUA_PATH LUA_CPATH; %s"):format(
      quote(place.path), command))
  end

  local function assert_shows(wanted, result)
    local status, text = wanted:match "^(%d+) ?(.*)$"
    assert.equal(status, tostring(result.status))
    local first = result.output:match "^[^\n]*":gsub("\t", " ")
    assert.equal(text, first:sub(1, #text))
    if text == "" and status ~= "3" then assert.equal("", first) end
  end

  it("has lines", function() assert.is_true(#listed() >= 15) end)

  for _, row in ipairs(listed()) do
    it("is right: " .. row.what, function()
      local needs_module = row.command:find("experiment.lua", 1, true) ~= nil
      assert_shows(row.lunet, run(os.getenv "LUNET", row.command))
      assert_shows(row.stock, run(os.getenv "LUA", row.command, needs_module))
      assert.not_equal(row.lunet, row.stock)
    end)
  end
end)

describe("a file beside the script", function()
  local place
  before_each(function()
    place = scratch.open()
    place:write("sub/text", "found")
    place:write("sub/script.lua", [[
      local lunet = require "lunet"
      local file <close> = assert(io.open(lunet.beside "text"))
      local text = file:read "a"
      print(text)
      return text]])
    place:write("script_spec.lua", ('it("is", function() assert.equal("found", dofile %q) end)')
      :format(place.path .. "/sub/script.lua"))
  end)
  after_each(function() place:close() end)

  it("is found by lunet.beside under lunet, a stock lua5.4 and busted, from everywhere", function()
    for _, command in ipairs { '"$LUNET" sub/script.lua', 'cd sub && "$LUNET" script.lua', "cd / && $LUNET "
      .. quote(place.path .. "/sub/script.lua"), '"$LUNET" "$(command -v busted)" script_spec.lua' } do
      local result = program.shell(("cd %s && %s"):format(quote(place.path), command))
      assert.equal(0, result.status)
      assert.matches("found\n", result.output, 1, true)
    end
    local result = program.stock(("dofile %q"):format(place.path .. "/sub/script.lua"))
    assert.same({ 0, "found\n", "" }, { result.status, result.output, result.errors })
  end)

  it("is in the working directory for what comes from no file; an absolute path stays", function()
    local result = program.shell [["$LUNET" -e 'print((require "lunet".beside "a"), (require "lunet".beside "/b"))']]
    assert.equal("a\t/b\n", result.output)
  end)

  it("is refused what lunet.beside cannot tell", function()
    local result = program.lunet [[
      local lunet = require "lunet"
      local function of_it() return lunet.beside "a" end
      print(pcall(of_it))
      lunet.beside(5)]]
    assert.matches("return (lunet.beside(name))", result.output, 1, true)
    assert.matches(":4: beside: a file's name expected, not number", result.errors, 1, true)
  end)
end)
