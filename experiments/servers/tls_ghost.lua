-- Claim. A request is not carried out for a client that left a stopped server during its TLS handshake. Early data is
-- the exception.
--
-- Why. A request waits for the server in the kernel only if the client could send it. In a full handshake the client
-- has the keys for its request when the server has answered its ClientHello (RFC 8446, 2; RFC 5246, 7.3). So the ghost
-- in the queue has no request, and nginx has nothing to log. Resumption (`resumed`) saves the certificate, not the
-- wait. Early data (0-RTT; RFC 8446, 2.3) takes its key from an earlier session. ClientHello and request come together
-- and wait together, and the ghost is back (`early`). The server carries out early data before the handshake is over,
-- and only the end of the handshake would show whether a client is there. The age in the ClientHello (RFC 8446, 8.3)
-- helps a little. OpenSSL refuses early data that comes more than about 10 s late (ssl_local.h, TICKET_AGE_ALLOWANCE),
-- so with --patience 12 the claim is false. After the handshake (`connected`: a connection kept from before) TLS
-- changes nothing: as in plain TCP the request waits and is carried out.
--
-- Where it was met. Late duplicates that began with a CDN's 0-RTT option. Late duplicates only over pooled connections,
-- while new connections that timed out never left anything behind.
--
-- What to do. Send no early data for a request that must not be done late or twice. `early_425` answers 425 (Too Early,
-- RFC 8470) while the handshake is not over; nginx tells by $ssl_early_data, and can tell the backend, too. (too_early
-- = refuse does so everywhere.) For connected clients the remedies are those of plain TCP.
local lunet = require "lunet"
local choice = require "lunet.run.choice"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"
local nginx = require "lunet.peer.servers.nginx"
local peer_process = require "lunet.peer.process"
local scratch = require "lunet.peer.scratch"

local LONG = lab.LONG
local PLAIN, TLS = 7300, 7301

local HTTP = [[
log_format brief '$status';
access_log PLACE/access.log brief;
server {
  listen 7300; listen 7301 ssl;
  ssl_certificate PLACE/certificate; ssl_certificate_key PLACE/key;
  ssl_protocols TLSv1.2 TLSv1.3; ssl_early_data EARLY_DATA;
  location /open    { TOO_EARLY return 200 "done\n"; }
  location /guarded { GUARD return 200 "done\n"; }
  location /witness { return 200 "done\n"; access_log off; }
}
]]

local GUARD = "if ($ssl_early_data) { return 425; }"

-- Longer than any ClientHello, so that the number of bytes at the server tells whether the request is among them.
local REQUEST = "GET /%s HTTP/1.0\r\nPadding: " .. ("x"):rep(4000) .. "\r\n\r\n"

-- The options of each client for s_client, and whether it has a session, or a connection, from before the stop.
local CASES = {
  { name = "plain" },
  { name = "tls1.2", version = "-tls1_2" },
  { name = "tls1.3", version = "-tls1_3" },
  { name = "resumed", version = "-tls1_3", has_session = true },
  { name = "early", version = "-tls1_3", has_session = true, is_early = true },
  { name = "early_425", version = "-tls1_3", has_session = true, is_early = true, path = "guarded" },
  { name = "connected", version = "-tls1_3", is_connected = true },
}

local function make_certificate(place)
  local openssl <close> = assert(lunet.exec { "openssl", "req", "-x509", "-newkey", "ec",
    "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=server", "-days", "2",
    "-keyout", place.path .. "/key", "-out", place.path .. "/certificate", stderr = "stdout" })
  local text = openssl.stdout:receive("a", LONG)
  if openssl:wait(LONG) ~= 0 then error("openssl made no certificate: " .. text, 0) end
end

-- Asks on a stream, which is a connection or a program's standard streams, and waits for the reply.
local function ask(input, output, version)
  assert(input:send(("GET /witness HTTP/%s\r\nHost: server\r\n\r\n"):format(version)))
  lab.await(function() return assert(output:receive("l", LONG)) == "done" end)
end

local function start_s_client(host, address, version, options)
  local words = { "openssl", "s_client", "-quiet", "-groups", "X25519", "-connect", address .. ":" .. TLS,
    version, stdin = "pipe", stderr = "null", label = "client" }
  return assert(host:exec(table.move(options, 1, #options, #words + 1, words)))
end

-- Leaves a file behind with which s_client can resume its session.
local function make_session(host, address, version, place)
  local client <close> = start_s_client(host, address, version, { "-sess_out", place.path .. "/session" })
  ask(client.stdin, client.stdout, "1.0")
  assert(client:wait(LONG) == 0)
end

-- A program, or a connection in plain TCP with the fields of one.
local function start_client(case, host, address, place)
  if not case.version then
    local connection = assert(host:connect({ address = address, port = PLAIN, label = "client" }, LONG))
    return { stdin = connection, stdout = connection, close = function() connection:close() end }
  end
  local options = {}
  if case.has_session then options = { "-sess_in", place.path .. "/session" } end
  if case.is_early then table.move({ "-early_data", place.path .. "/request" }, 1, 2, 3, options) end
  return start_s_client(host, address, case.version, options)
end

local function configuration(knobs)
  local too_early = knobs.too_early == "refuse" and GUARD or ""
  local words = { EARLY_DATA = knobs.early_data, GUARD = GUARD, TOO_EARLY = too_early }
  return (HTTP:gsub("[%u_]+", words))
end

-- Whether the client can send its request before the server answers.
local function can_send(case, knobs)
  return not case.version or case.is_connected or case.is_early and knobs.early_data == "on" or false
end

-- The status of the one request in nginx's log, once nginx has finished.
local function finish(server, process, place)
  local witness = assert(server:connect({ address = "127.0.0.1", port = PLAIN, label = "witness" }, LONG))
  ask(witness, witness, "1.0") -- nginx answers it after the client's request
  nginx.finish(process)
  return place:read("access.log"):match "^(%d+)\n$" or "none"
end

local function run_case(case, knobs)
  local server, host, link = lab.hosts { "nginx", "client" }
  local address = link:address(server)
  local place <close> = scratch.open()
  local request = REQUEST:format(case.path or "open")
  make_certificate(place)
  place:write("request", request)
  local process = nginx.start(server, place, configuration(knobs), TLS)
  local function far_end()
    local filter = { local_port = case.version and TLS or PLAIN, state = { "ESTABLISHED", "CLOSE_WAIT" } }
    return lab.socket(server, filter)
  end

  if case.has_session then
    make_session(host, address, case.version, place)
    lab.await(function() return not far_end() end)
  end
  local client
  if case.is_connected then
    client = start_client(case, host, address, place)
    ask(client.stdin, client.stdout, "1.1")
  end
  peer_process.freeze(process)
  client = client or start_client(case, host, address, place)
  if not case.is_early then assert(client.stdin:send(request)) end
  local least = can_send(case, knobs) and #request or 1
  lab.await(function() return (far_end() or { receive_queue = 0 }).receive_queue >= least end)
  local answer, _, code = client.stdout:receive(nil, knobs.patience)
  local bytes = assert(far_end()).receive_queue
  client:close()
  lab.await(function() return (far_end() or {}).fin end)
  assert(process:thaw())

  local status = finish(server, process, place)
  return { case = case.name, bytes = bytes, has_request = bytes >= #request, reply = answer or code, status = status,
    carried_out = status == "200" }
end

-- How many bytes wait: the ClientHello alone or with early data, or the request in records of TLS.
local function bytes_of(case, request, is_sent)
  if not case.version then return request end
  if case.is_connected then return expect.between(request + 1, request + 200) end
  if is_sent then return expect.between(request + 200, request + 1000) end
  return case.has_session and expect.between(300, 1000) or expect.between(100, 500)
end

local function check_case(row, case, knobs)
  local is_sent = can_send(case, knobs)
  local status = not is_sent and "none" or case.path and "425" or "200"
  local request = #REQUEST:format(case.path or "open")
  expect.fields(case.name, row, { case = case.name, reply = "TIMEOUT", status = status,
    carried_out = status == "200", has_request = is_sent, bytes = bytes_of(case, request, is_sent) })
end

return experiment {
  claim = "A request is not carried out for a client that left a stopped server during its TLS handshake. Early "
    .. "data is the exception.",
  knobs = {
    case = { "all", "case", "the client's protocol, and what it has from before the stop: a session, a connection",
      choices = choice.of(CASES, "name") },
    early_data = { "on", "setting", "nginx's ssl_early_data", choices = { "on", "off" } },
    too_early = { "serve", "way", "what nginx does with early data: serve it, or refuse it with 425 everywhere",
      choices = { "serve", "refuse" } },
    patience = { 0.05, "s", "how long the client waits for a reply before it leaves", min = 0 },
  },
  -- bytes, has_request: what waited for the server. status, carried_out: what nginx logged.
  columns = { "case", "bytes", "has_request", "reply", "status", "carried_out" },
  needs = { nginx = "nginx", openssl = "openssl" },
  control = { too_early = "refuse" },

  run = function(knobs)
    lunet.note "Each client has an nginx of its own, which is stopped before the client sends its request."
    local cases = choice.pick(CASES, knobs.case, "name")
    return { cases = lunet.together(cases, function(case) return run_case(case, knobs) end) }
  end,

  check = function(outcome, knobs)
    local cases = choice.pick(CASES, knobs.case, "name")
    expect.value("the number of cases", #outcome.cases, #cases)
    local is_early, is_tried = false, false
    for i, case in ipairs(cases) do
      check_case(outcome.cases[i], case, knobs)
      is_early, is_tried = is_early or case.is_early, is_tried or case.version and not case.is_connected
    end
    if is_early and knobs.early_data == "off" then experiment.not_judged "the server takes no early data" end
    if not is_tried then experiment.not_judged "no client was in the middle of a handshake" end
  end,

  figures = function(outcome)
    local done = {}
    for _, case in ipairs(outcome.cases) do
      if case.carried_out then done[#done + 1] = case.case end
    end
    return ("carried out, of %d: %s"):format(#outcome.cases, #done > 0 and table.concat(done, ", ") or "none")
  end,
}
