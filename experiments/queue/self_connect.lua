-- Claim. A client that keeps trying to reach a stopped server of its own host reaches itself in the end. Then the
-- server cannot start any more.
--
-- Why. The kernel chooses the client's port from net.ipv4.ip_local_port_range. It may choose the port that the client
-- connects to. The client's SYN then comes to the client's own socket, which is in SYN_SENT: a simultaneous open
-- (RFC 9293, 3.5; net/ipv4/tcp_input.c, tcp_rcv_synsent_state_process). Both ends are one socket: connect succeeds, and
-- the client reads its own request as the answer. Each try takes another port. connect(2) takes ports of the parity of
-- the range's first one while there are any, and leaves the other half to bind(2) (net/ipv4/inet_hashtables.c,
-- __inet_hash_connect). So servers at half of the ports are safe (`other half`). The server's bind(2) fails with
-- EADDRINUSE. SO_REUSEADDR at the server does not help, since the client's socket lacks it. After a close the socket's
-- TIME_WAIT keeps the port in the same way for 60 s; after an RST there is none (`leave`).
--
-- Where it was met. Sidecars, supervisors and clusters on one machine whose ports are above 32767: a service is
-- restarted, its client retries, and the restart fails with "address already in use", without any server in sight.
-- Health checks by connect alone then call the service healthy. In the kernel's default range one try in about 14,000
-- does it, so a client that tries once a second needs hours.
--
-- What to do. Give servers ports outside of the ephemeral range, or put them into net.ipv4.ip_local_reserved_ports. In
-- a client compare getsockname(2) with getpeername(2) after connect, and reset the connection if both are the same. A
-- protocol whose server speaks first, or answers unlike any request, tells, too.
local lunet = require "lunet"
local choice = require "lunet.run.choice"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"

local FIRST <const> = 40000 -- of the ephemeral ports: an even one
local REQUEST <const> = "request\n"
local PORTS <const> = { ephemeral = FIRST + 2, ["other half"] = FIRST + 3, reserved = FIRST + 2, outside = FIRST - 2 }
local PORT_NAMES <const> = { "ephemeral", "other half", "reserved", "outside" }
local LEAVES <const> = { "close", "reset" }

local function open_host(knobs)
  local host = assert(lunet.host "host")
  assert(host:sysctl("net.ipv4.ip_local_port_range", ("%d %d"):format(FIRST, FIRST + knobs.ports - 1)))
  if knobs.port == "reserved" then
    assert(host:sysctl("net.ipv4.ip_local_reserved_ports", tostring(PORTS.reserved)))
  end
  return host
end

-- Tries until it is connected. Returns the connection, or the code of the last try; and the number of tries.
local function try_to_reach(host, port, most)
  local client, code, _
  for count = 1, most do
    client, _, code = host:connect({ port = port, label = "client" }, lab.LONG)
    if client or code ~= "ECONNREFUSED" then return client, code, count end
  end
  return nil, code, most
end

-- Whether a server can start now, as far as that goes.
local function start_server(host, port)
  local listener, _, code = host:listen { port = port, backlog = 5, label = "server" }
  if listener then listener:close() end
  return listener and "starts" or code
end

local function run_case(leave, knobs)
  local host <close> = open_host(knobs)
  local port = PORTS[knobs.port]
  local client, code, tries = try_to_reach(host, port, knobs.tries)
  local row = { leave = leave, tries = tries, connect = client and "success" or code, itself = false, answer = "none",
    meanwhile = start_server(host, port), left_behind = "none", afterwards = "none" }
  if not client then return row end
  row.itself = client:address() == client:peer()
  assert(client:send(REQUEST))
  row.answer = assert(client:receive(#REQUEST, lab.LONG)) == REQUEST and "its own request" or "another one"
  lunet.note(("The server starts: %s. Now the client leaves: %s."):format(row.meanwhile, leave))
  client[leave](client)
  lab.await(function() return not lab.socket(host, { state = { "ESTABLISHED", "FIN_WAIT1", "CLOSING" } }) end)
  local left = lab.socket(host, { port = port })
  row.left_behind = left and left.state or "none"
  row.afterwards = start_server(host, port)
  lunet.note(("The server starts once more: %s."):format(row.afterwards))
  return row
end

return experiment {
  claim = "A client that keeps trying to reach a stopped server of its own host reaches itself in the end. Then the "
    .. "server cannot start any more.",
  knobs = {
    port = { "ephemeral", "port", "the server's: one that connect(2) takes, of the half that it leaves to bind(2), "
      .. "reserved, or outside of the ephemeral ports", choices = PORT_NAMES },
    leave = { "all", "way", "how the client leaves", choices = { "all", table.unpack(LEAVES) } },
    ports = { 8, "ports", "how many ephemeral ones there are", min = 4, max = 1000 },
    tries = { 400, "tries", "after so many the client gives up", min = 1, max = 100000 },
  },
  columns = { "leave", "tries", "connect", "itself", "answer", "meanwhile", "left_behind", "afterwards" },
  control = { port = "reserved" },

  run = function(knobs)
    lunet.note "No server listens. A client of the same host tries again and again."
    local rows = {}
    for _, case in ipairs(choice.combinations(knobs, { { "leave", LEAVES } })) do
      rows[#rows + 1] = run_case(case.leave, knobs)
    end
    return { clients = rows }
  end,

  check = function(outcome, knobs)
    local cases = choice.combinations(knobs, { { "leave", LEAVES } })
    expect.cases("clients", outcome.clients, cases, { "leave" })
    for _, row in ipairs(outcome.clients) do
      local closed = row.leave == "close"
      expect.value(row.leave .. ": connect", row.connect, "success")
      expect.fields(row.leave, row, { tries = expect.between(1, knobs.tries), itself = true,
        answer = "its own request", meanwhile = "EADDRINUSE", left_behind = closed and "TIME_WAIT" or "none",
        afterwards = closed and "EADDRINUSE" or "starts" })
    end
  end,

  figures = function(outcome)
    local first = outcome.clients[1]
    return ("connect: %s after %d %s; the server: %s"):format(first.connect, first.tries,
      first.tries == 1 and "try" or "tries", first.meanwhile)
  end,
}
