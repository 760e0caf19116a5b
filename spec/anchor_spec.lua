-- Open handles stay open when the script does not hold them. The collector once ended a rule that a test had not kept
-- in a variable: the test lost no segment, and passed.
local lunet = require "lunet"
local eventually = require "spec.support.eventually"
local tagged = require "spec.support.tagged"

local BOUND <const> = require "spec.support.bound"

-- Often enough for values that finalizers have brought back.
local function collect()
  for _ = 1, 4 do collectgarbage() end
end

local function address_of(listener, host)
  return (listener:address():gsub("^0%.0%.0%.0", host))
end

-- By name: makes one on host a, linked with host b, and forgets it. Returns a function that raises unless it still
-- does what it is for.
local kinds = {}

function kinds.rule(a, b, to_a)
  local listener = assert(a:listen { backlog = 5 })
  assert(a:drop { reject = "reset" })
  return function()
    assert.equal("ECONNREFUSED", select(3, b:connect(address_of(listener, to_a), BOUND)))
  end
end

function kinds.capture(a)
  local seen = setmetatable({}, { __mode = "v" })
  seen.capture = assert(a:capture())
  return function() assert.is_number(assert(seen.capture):statistics().seen) end
end

function kinds.wire(a)
  local c = assert(lunet.host "c")
  local address = lunet.link(a, c, { delay = 0.001 }):address(c)
  local listener = assert(c:listen { port = 7001, backlog = 5 })
  return function() assert(a:connect(address_of(listener, address), BOUND)) end
end

function kinds.listener(a, b, to_a)
  assert(a:listen { port = 7000, backlog = 5 })
  return function() assert(b:connect(to_a .. ":7000", BOUND)) end
end

function kinds.connection(a, b, to_a)
  local listener = assert(a:listen { port = 7000, backlog = 5 })
  assert(b:connect(to_a .. ":7000", BOUND))
  eventually(function() return listener:queue().depth == 1 end)
  return function() assert.equal("ESTABLISHED", a:sockets({ listener = listener })[1].state) end
end

kinds["accepted connection"] = function(a, b)
  local listener = assert(a:listen { port = 7000, backlog = 5 })
  listener:gate(1)
  local near = assert(b:connect(listener, BOUND))
  assert(listener:accept(BOUND))
  return function()
    assert.equal("open", near:liveness())
    assert.same({ 1, 1 }, { listener:gate() })
  end
end

function kinds.process(a)
  local nonce = tagged.new()
  assert(a:exec { "sleep", "1000", env = { NONCE = nonce } })
  return function() assert.is_not_nil(next(tagged.all(nonce))) end
end

function kinds.host(_, b)
  local function make() return lunet.link(assert(lunet.host "d"), b):close() end
  make()
  return function()
    local names = {}
    for _, text in ipairs(lunet.open_handles()) do names[text] = true end
    assert.is_true(names["host d"])
  end
end

-- Handles on hosts that the kinds make themselves.
local OTHERS <const> = { ["host c"] = true, ["host d"] = true, ["listener 0.0.0.0:7001"] = true }

describe("a handle that the script does not hold", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  for name, make in pairs(kinds) do
    it("stays open until its host or its scope ends: a " .. name, function()
      local a <close>, b = assert(lunet.host "a"), assert(lunet.host "b")
      lunet.scope(function()
        local check = make(a, b, lunet.link(a, b):address(a))
        local open = #lunet.open_handles()
        collect()
        assert.equal(open, #lunet.open_handles())
        check()
      end)
      assert.equal(2, #lunet.open_handles()) -- the hosts
      b:close()
    end)

    it("ends with its host: a " .. name, function()
      lunet.scope(function()
        local a, b = assert(lunet.host "a"), assert(lunet.host "b")
        make(a, b, lunet.link(a, b):address(a))
        collect()
        a:close()
        b:close()
        for _, text in ipairs(lunet.open_handles()) do assert.is_truthy(OTHERS[text], text) end
      end)
    end)
  end
end)

describe("a Unix listener that the script does not hold", function()
  it("keeps its path", function()
    local name = "unix:@lunet anchor " .. tagged.new()
    lunet.scope(function()
      assert(lunet.listen { address = name, backlog = 1 })
      collect()
      assert(lunet.connect(name, BOUND))
    end)
  end)
end)

describe("a closed handle", function()
  it("is memory of the script's alone", function()
    local weak = setmetatable({}, { __mode = "k" })
    local function use()
      local host <close> = assert(lunet.host "a")
      local listener <close> = assert(host:listen { backlog = 5 })
      local near <close> = assert(host:connect(listener, BOUND))
      local far <close> = assert(listener:accept(BOUND))
      local capture <close> = assert(host:capture())
      local rule <close> = assert(host:drop {})
      for _, handle in ipairs { host, listener, near, far, capture, rule } do weak[handle] = true end
    end
    use()
    lunet.scope(function() weak[assert(lunet.listen { backlog = 1 })] = true end)
    collect()
    assert.is_nil(next(weak))
  end)
end)
