local forwarder = require "lunet.peer.forwarder"
local json = require "lunet.text.json"
local lunet = require "lunet"
local forwarders = dofile "experiments/servers/forwarders.lua"
local it, judge = require "spec.support.patient"(it)

local is_here, missing = forwarder.find_all(forwarder.names())
local reason = not is_here and "the group peers is not here (script/packages peers): " .. missing

-- By hand, with plain scripts: how a client hears of a closed port, and in which words it is logged; whether a request
-- is delivered whose client left by a FIN, and by an RST, while the server's queue was full.
local BY_HAND <const> = {
  haproxy = { "FIN", "SC", "yes", "no" },
  nft_dnat = { "ECONNREFUSED", "nothing", "not connected", "not connected" },
  nginx_http = { "502", "502, connect() failed (111: Connection refused)", "no", "no" },
  nginx_stream = { "FIN", "connect() failed (111: Connection refused)", "yes", "yes" },
  slirp4netns = { "ECONNREFUSED", "nothing", "not connected", "not connected" },
  socat = { "FIN", "Connection refused", "yes", "yes" },
  ssh = { "FIN", "connect failed: Connection refused", "yes", "yes" },
  systemd = { "FIN", "Connection refused", "yes", "yes" },
}

-- A late request was not delivered, as one that is never delivered. The check has refused the others that were late.
local function is_delivered(word) return word == "late" and "no" or word end

local function rows_of(outcome)
  local rows = {}
  for _, row in ipairs(outcome.rows) do rows[row.forwarder .. " " .. row.server] = row end
  return rows
end

describe("forwarders", function()
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("holds as it is, and says what was seen by hand", function()
    if reason then return pending(reason) end
    local outcome, holds, why = judge(forwarders)
    assert.is_true(holds, why)
    assert.equal(#forwarder.names(), #outcome.rows // 3 + #outcome.left_out)
    local rows = rows_of(outcome)
    for name, by_hand in pairs(BY_HAND) do
      local closed, full = rows[name .. " closed"], rows[name .. " full"]
      if closed then
        assert.same({ name, by_hand }, { name, { closed.told, closed.logged, is_delivered(full.by_close),
          is_delivered(full.by_reset) } })
      else
        assert.matches(name .. ": /dev/net/tun", table.concat(outcome.left_out, "\n"), 1, true)
      end
    end
  end)
end)

describe("forwarders alone #part_alone", function()
  local RELAY <const> = "spec/fakes/relay.lua"
  local LONGEST <const> = 4 -- s; its SYN meets a full queue, and is sent again after 1 s and after 3 s
  after_each(function() assert.same({}, lunet.open_handles()) end)

  it("has a row of its own for a forwarder that is not in the library", function()
    local outcome, holds, why = judge(forwarders, { forwarder = RELAY, server = "full", longest = LONGEST })
    assert.is_true(holds, why)
    local row = outcome.rows[1]
    assert.same({ "ok", "nothing", "nothing", "yes" }, { row.connect, row.told, row.logged, row.by_close })
  end)

  it("does not hold for a forwarder that delivers what it should not", function()
    local modest = "spec/fakes/modest.lua"
    local outcome, holds, why = judge(forwarders, { forwarder = modest, server = "full", longest = LONGEST })
    assert.same({ false, modest .. ", full: by_reset is yes, not no", "yes" }, { holds, why, outcome.rows[1].by_reset })
  end)

  -- The forwarder may close before or after the request comes.
  it("lets a client be told by an RST where its request was sent and not read", function()
    local outcome, holds, why = judge(forwarders, { forwarder = RELAY, server = "closed", speaks = true })
    assert.is_true(holds, why)
    assert.matches("^[FR][IS][NT]$", outcome.rows[1].told)
  end)

  it("takes a client for connected whose RST came before lunet saw the handshake", function()
    local start <const> = forwarder.start
    local _undo <close> = setmetatable({}, { __close = function() rawset(forwarder, "start", start) end })
    rawset(forwarder, "start", function(...)
      local running = start(...)
      local connect <const> = running.connect
      function running.connect(self, from, label, timeout)
        if label == "W" then return nil, "connect: ECONNRESET", "ECONNRESET" end
        return connect(self, from, label, timeout)
      end
      return running
    end)
    local outcome = judge(forwarders, { forwarder = RELAY, server = "closed" })
    assert.same({ "ok", "RST" }, { outcome.rows[1].connect, outcome.rows[1].told })
  end)

  it("asks only of the departure that it is given", function()
    local outcome, holds, why = judge(forwarders, { forwarder = RELAY, server = "frozen", departure = "close",
      longest = 0.2 })
    assert.is_true(holds, why)
    assert.same({ "yes", "-", "nothing" }, { outcome.rows[1].by_close, outcome.rows[1].by_reset, outcome.rows[1].told })
  end)

  it("does not hold without a forwarder", function()
    local outcome, holds, why = judge(forwarders, { forwarder = RELAY, server = "closed", direct = true })
    assert.same({ false, RELAY .. ", closed: connect is ECONNREFUSED, not ok", "ECONNREFUSED" },
      { holds, why, outcome.rows[1].told })
  end)

  it("is judged by its outcome alone, and leaves out only forwarders that need a device", function()
    local file <close> = assert(io.open "doc/field-guide/forwarders.json")
    local record = json.decode(file:read "a")
    local outcome = record.outcome
    local function judged() return pcall(forwarders.check, outcome, record.knobs) end
    assert.is_true(judged())
    local function leave_out(name)
      outcome.left_out = { name .. ": Permission denied" }
      for i = #outcome.rows, 1, -1 do
        if outcome.rows[i].forwarder == name then table.remove(outcome.rows, i) end
      end
    end
    leave_out "pasta"
    assert.is_true(judged())
    outcome.left_out = {}
    assert.is_false(judged())
    leave_out "socat"
    outcome.left_out[2] = "pasta: Permission denied"
    assert.same({ false, "socat: needs a device is false, not true" }, { judged() })
  end)

  it("says which forwarders there are", function()
    assert.error_matches(function() forwarders { forwarder = "nonsense" } end,
      "there is no forwarder 'nonsense': haproxy, .*xinetd, or the path of a file")
  end)
end)
