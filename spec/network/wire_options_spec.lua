local lunet = require "lunet"
local wire_options = require "lunet.network.wire_options"

local DIRECTIONS <const> = { "a_to_b", "b_to_a" }

local function settings(options) return wire_options.of("link", options, DIRECTIONS) end

local function refused(options, pattern)
  local a <close> = assert(lunet.host "a")
  local b <close> = assert(lunet.host "b")
  assert.error_matches(function() lunet.link(a, b, options) end, pattern)
end

describe("the options of a wire", function()
  it("ask for a wire if there are any", function()
    assert.is_nil(settings {})
    for name, given in pairs { delay = 0, jitter = 0, loss = 0, duplicate = 0, corrupt = 0, mark = 0, rate = 1e6,
      capacity = 1000, everything = false, reorder = false } do
      assert.is_table(settings { [name] = given }, name)
    end
    assert.is_table(settings { a_to_b = { loss = 0.1 } })
  end)

  it("hold for both directions, unless one has its own", function()
    local made = settings { delay = 0.01, loss = 0.5, b_to_a = { delay = 0.02, capacity = 7 } }
    assert.same({ 0.01, 0.02 }, { made.ways[1].delay, made.ways[2].delay })
    assert.same({ 0.5, 0.5 }, { made.ways[1].loss, made.ways[2].loss })
    assert.same({ 64 << 20, 7 }, { made.ways[1].capacity, made.ways[2].capacity })
  end)

  it("say whether lunet drew the seed that decides", function()
    assert.is_true(settings { loss = 0.1 }.is_drawn)
    assert.is_false(settings { loss = 0.1, seed = 7 }.is_drawn)
    assert.is_false(settings { delay = 0.1 }.is_drawn) -- nothing is left to chance
    assert.equal(7, settings { loss = 0.1, seed = 7 }.seed)
  end)

  it("are shares from 0 to 1", function()
    for _, name in ipairs { "loss", "duplicate", "corrupt", "mark" } do
      for _, share in ipairs { -0.1, 1.1, 0 / 0, "1 %", true } do
        refused({ [name] = share }, "^.*link: " .. name .. ": a share from 0 to 1 expected, not ")
      end
    end
    refused({ b_to_a = { loss = 2 } }, "link: b_to_a: loss: a share from 0 to 1 expected, not 2")
  end)

  it("name what a burst lacks, and what is none", function()
    refused({ loss = {} }, "link: loss: to_bad: a share from 0 to 1 expected, not nil")
    refused({ loss = { to_bad = 0.1, to_good = 2 } }, "link: loss: to_good: a share from 0 to 1 expected, not 2")
    refused({ loss = { burst = 3 } }, "link: loss: unknown option 'burst' %(known: bad, good, to_bad, to_good%)")
  end)

  it("have no jitter longer than the delay", function()
    refused({ jitter = 0.001 }, "link: jitter: at most the delay of 0 s expected, not 0.001")
    refused({ delay = 0.01, jitter = 0.02 }, "link: jitter: at most the delay of 0.01 s expected, not 0.02")
    refused({ delay = 0.01, a_to_b = { jitter = 0.02 } }, "link: a_to_b: jitter: at most the delay of 0.01 s")
    assert.is_table(settings { delay = 0.01, jitter = 0.01 })
  end)

  it("reorder only where something can", function()
    refused({ delay = 0.01, reorder = true }, "link: reorder: true needs jitter")
    refused({ reorder = 0.1 }, "link: reorder: a delay is needed")
    refused({ delay = 0.01, reorder = 2 }, "link: reorder: true, false or a share from 0 to 1 expected, not 2")
    refused({ delay = 0.01, reorder = "yes" }, "link: reorder: true, false or a share")
  end)

  it("are numbers, truths and tables of the right kind", function()
    refused({ rate = 0 }, "link: rate: a number of bytes a second from 1 to 1e%+12 expected, not 0") -- no wire at all
    refused({ everything = 1 }, "link: everything: true or false expected, not 1")
    refused({ a_to_b = { seed = 1 } }, "link: a_to_b: unknown option 'seed'")
    refused({ delay = { a_to_c = 1 } }, "link: delay: unknown option 'a_to_c' %(known: a_to_b, b_to_a%)")
  end)

  it("of a port belong to a host of the LAN, and have no seed", function()
    local a <close> = assert(lunet.host "a")
    local b <close> = assert(lunet.host "b")
    local function refused_by_lan(options, pattern)
      assert.error_matches(function() lunet.lan({ a }, options) end, pattern)
    end
    refused_by_lan({ ports = { [b] = {} } }, "lan: ports: a table by hosts of the LAN expected")
    refused_by_lan({ ports = { [a] = { seed = 1 } } }, "lan: port of a: unknown option 'seed'")
    refused_by_lan({ ports = { [a] = { loss = 2 } } }, "lan: port of a: loss: a share from 0 to 1 expected, not 2")
    refused_by_lan({ a_to_b = {} }, "lan: unknown option 'a_to_b'")
    refused_by_lan({ seed = 0.5 }, "lan: seed: a whole number expected, not 0.5")
    assert.same({ "host a", "host b" }, lunet.open_handles())
  end)
end)
