-- The pages of the reference and the comments that they are made of. The examples have a spec of their own.
local comments = require "spec.reference.comments"
local json = require "dkjson"
local exports = require "spec.support.exports"
local library = require "spec.reference.library"
local lunet = require "lunet"
local page = require "spec.reference.page"
local tree = require "spec.support.tree"
local types = require "spec.reference.types"
local writer = require "spec.reference.writer"

local read = library.read(os.getenv "LUNET_SOURCE")

-- The names of the functions that a page has.
local function documented(about)
  local names = {}
  for name in pairs(read:functions(about.class)) do names[#names + 1] = name end
  table.sort(names)
  return names
end

describe("the reference", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("has every function that scripts can call, and no other", function()
    local tables = exports.tables()
    local missing = {}
    for class in pairs(tables) do missing[class] = true end
    for _, about in ipairs(library.pages()) do
      local class = about.class:match "[^.]*$"
      local holder = tables[class] or exports.of_module(about)
      missing[class] = nil
      assert.same(exports.names(holder), documented(about), about.name)
      local fields = {}
      for _, field in ipairs(read:class(about.class).fields) do fields[field.name] = true end
      for name, value in pairs(holder) do
        local is_known = type(value) == "function" or name:find "^__" or fields[name]
        assert.is_truthy(is_known, ("%s.%s is no field of the reference"):format(about.holder, name))
      end
    end
    assert.same({}, missing)
  end)

  it("has every module of lunet that a document requires", function()
    local known = { ["lunet"] = true, ["lunet.peer.server"] = "CONTRIBUTING.md says how to add one" }
    for _, about in ipairs(library.pages()) do known[about.module or "lunet"] = true end
    local unknown = {}
    for _, path in ipairs(tree.files("doc", "%.md$")) do
      local file <close> = assert(io.open(os.getenv "LUNET_SOURCE" .. "/" .. path))
      for module in file:read("a"):gmatch 'require %(?"(lunet[%w_.]*)"' do
        if not known[module] then unknown[#unknown + 1] = path .. ": " .. module end
      end
    end
    assert.same({}, unknown)
  end)

end)

describe("a page of the reference", function()
  local made = writer.pages(read)
  local headings = {}
  for name, text in pairs(made) do
    headings[name] = {}
    for heading in text:gmatch "\n#+ ([^\n]+)" do headings[name][page.anchor(heading)] = true end
  end

  it("leads to pages and headings that there are", function()
    local lost, count = {}, 0
    for name, text in pairs(made) do
      for target, anchor in text:gmatch "%]%(([%w_]+%.md)#?([%w_-]*)%)" do
        count = count + 1
        local is_there = headings[target] and (anchor == "" or headings[target][anchor])
        if not is_there then lost[#lost + 1] = ("%s: %s#%s"):format(name, target, anchor) end
      end
    end
    assert.same({}, lost)
    assert.is_true(count > 300)
  end)

  it("has no heading twice", function()
    for name, text in pairs(made) do
      local seen = {}
      for heading in text:gmatch "\n#+ ([^\n]+)" do
        assert.is_nil(seen[page.anchor(heading)], ("%s: %s"):format(name, heading))
        seen[page.anchor(heading)] = true
      end
    end
  end)
end)

describe(".luarc.json", function()
  it("leads a language server to init.lua as the module lunet", function()
    local file <close> = assert(io.open(os.getenv "LUNET_SOURCE" .. "/.luarc.json"))
    local settings = assert(json.decode(file:read "a"))
    assert.equal("Lua 5.4", settings["runtime.version"])
    local path = table.concat(settings["runtime.path"], ";"):gsub("%f[^;\0]", os.getenv "LUNET_SOURCE" .. "/")
    assert.matches("/lua/lunet/init.lua$", (assert(package.searchpath("lunet", path))))
  end)
end)

describe("a doc comment", function()
  local function block(...)
    return comments.block { ... }
  end

  it("gives parameters, results, and the text that goes on below them", function()
    local read_block = block("--- Sends.", "---", "---     send()", "---@async", "---@param data string|nil bytes",
      "--- to send", "---@param timeout? number seconds", "---@return integer|nil sent how", "---   many",
      "---@return string? code")
    assert.same({ "Sends.", "", "    send()" }, read_block.text)
    assert.same({ { name = "data", type = "string|nil", text = "bytes to send", is_optional = false },
      { name = "timeout", type = "number", text = "seconds", is_optional = true } }, read_block.parameters)
    assert.same({ { name = "sent", type = "integer|nil", text = "how many", is_optional = false },
      { name = "code", type = "string?", text = "", is_optional = false } }, read_block.results)
    assert.is_true(read_block.is_async)
    assert.same({ "send()" }, page.example(read_block.text))
    assert.equal("Sends.", page.prose(read_block.text))
  end)

  it("is faulty if a comma follows the name of a result: for a language server that begins another one", function()
    assert.same({ "@return string lines, without a newline: the comma begins another result" },
      block("---@return string lines, without a newline").faults)
  end)

  for text, wanted in pairs {
    ["string rest"] = "string", ["string? rest"] = "string?", ["string|nil rest"] = "string|nil",
    ["{a: integer, b?: string}[] rest"] = "{a: integer, b?: string}[]", ['"a"|"b c"|integer x'] = '"a"|"b c"|integer',
    ["fun(a: integer): string, b"] = "fun(a: integer): string", ["fun() x"] = "fun()",
    ["(fun(...): any)[] x"] = "(fun(...): any)[]", ["table<string, integer|nil> x"] = "table<string, integer|nil>",
    ["lunet.host[]|nil x"] = "lunet.host[]|nil", ["any ... results"] = "any", ["... rest"] = "...",
  } do
    it(("has the type %s in %q"):format(wanted, text), function() assert.equal(wanted, (types.take(text))) end)
  end

  it("names man pages, kernel files and RFCs, but not the calls of its example", function()
    local declaration = block("--- As accept4(2) and net/ipv4/tcp.c, tcp_get_info, say (RFC 9293, 3.5; tcp(7)).", "---",
      "---     print(listener:gate(0)) --> 0")
    assert.same({ "accept4(2)", "net/ipv4/tcp.c", "RFC 9293", "tcp(7)" }, page.sources(declaration))
  end)
end)
