-- The calls of experiments and documents are checked against the declarations of the reference, as a language server
-- would check them.
local calls = require "spec.reference.calls"
local library = require "spec.reference.library"
local page = require "spec.support.page"
local tree = require "spec.support.tree"

local ROOT <const> = os.getenv "LUNET_SOURCE"

local read = library.read(ROOT)

local function text_of(path)
  local file <close> = assert(io.open(ROOT .. "/" .. path))
  return file:read "a"
end

describe("the declarations agree with the calls", function()
  for _, path in ipairs(tree.files("experiments", "%.lua$")) do
    it("of " .. path, function() assert.same({}, calls.check(read, path, text_of(path))) end)
  end

  local pages = tree.files("doc", "%.md$")
  for _, path in ipairs { "README.md", "CONTRIBUTING.md", table.unpack(pages) } do
    local faults, has_lua = {}, false
    for _, block in ipairs(page.blocks(text_of(path))) do
      if block.language == "lua" then
        has_lua = true
        table.insert(faults, calls.check(read, path, block.text, block.line + 1))
      end
    end
    if has_lua then
      it("of the code in " .. path, function()
        for _, list in ipairs(faults) do assert.same({}, list) end
      end)
    end
  end
end)

describe("a call is at fault", function()
  local BEGIN <const> = [[
local lunet = require "lunet"
local lab = require "lunet.lab"
local host = assert(lunet.host "a")
local listener <close> = assert(host:listen { backlog = 1 })
]]

  local wrong = {
    ["lunet.listn {}"] = "lunet has no function listn",
    ["listener:acept(1)"] = "lunet.listener has no function acept",
    ["listener:accept(1, 2)"] = "accept: 2 arguments, but it takes 1",
    ["listener.accept()"] = "accept: its object is missing",
    ["listener:shutdown()"] = "shutdown: 0 arguments, but it needs 1",
    ["lunet.link(host)"] = "link: 1 arguments, but it needs 2",
    ["lab.await_depth(listener)"] = "await_depth: 1 arguments, but it needs 2",
    ["host:listen { backlog = 1, lable = 'x' }"] = "listen: target: lunet.listen_target has no field lable",
    ["host:connect { listener, lable = 'x' }"] = "connect: target: lunet.connect_target has no field lable",
    ["host:exec { 'cat', stdin = 'pip' }"] =
      'exec: program: stdin: "null" or "pipe" or "inherit" expected, not "pip"',
    ["host:drop { flags = 'SIN' }"] = 'drop: options: flags: "SYN" or "SYN-ACK" or "ACK" or "FIN" or "RST" or "data"'
      .. ' or "any" expected, not "SIN"',
    ["listener:shutdown 'x'"] = 'shutdown: how: "rd" or "wr" or "rdwr" expected, not "x"',
    ["lunet.sleep 'long'"] = 'sleep: seconds: number expected, not "long"',
    ["listener:serve(function(c) c:sent 'x' end)"] = "lunet.connection has no function sent",
    ["for _, s in ipairs(host:sockets()) do s:close() end"] = "lunet.socket has no function close",
    ["local function f(x) x:recieve() end"] = "nothing has a method recieve",
    ["if listener then while true do listener:acept() end end"] = "lunet.listener has no function acept",
  }
  for code, why in pairs(wrong) do
    it("in " .. code, function()
      assert.same({ "page.md:14: " .. why }, calls.check(read, "page.md", BEGIN .. code, 10))
    end)
  end

  it("no more when it is right, or nothing is known of its object", function()
    assert.same({}, calls.check(read, "page.md", BEGIN .. [[
local connection, message, code = host:connect({ listener, label = "x" }, 5)
connection:send("x", ...)
listener.accept(listener, 1)
listener = other
listener:acept_no_more_is_known_of_it(1, 2, 3)
function other:acept_no_more_is_known_of_it() end
local words = { 1, 2 }
host:exec(words)
("x"):rep(3)
]]))
  end)

  it("if the code is none", function()
    assert.matches("page.md:1: expected", calls.check(read, "page.md", "listener:accept(")[1])
  end)
end)
