-- Claim. For a client that left while nginx was stopped, nginx logs 200 for a file and 499 as a proxy. The backend is
-- asked unless that takes a new TCP connection.
--
-- Why. The kernel queues the connection, with the request and the FIN after it. nginx accepts it, reads the request
-- first, and begins to answer. It writes a file without looking at its client. The log has the status that nginx meant
-- to send, so it says 200, even when writev(2) fails and no byte was sent. A proxy looks at its client while it waits
-- for the backend: epoll(7) tells of the FIN (EPOLLRDHUP), and nginx gives up with 499, its own number for "the client
-- closed" (ngx_http_upstream_check_broken_connection). But it looks only at the next event. A new TCP connection to the
-- backend needs a handshake, which connect(2) does not wait for, and the client's event comes first: the backend gets a
-- connection without a request. Over a connection kept from an earlier request (`pool`: keepalive), or a Unix socket,
-- nginx sends the request at once: the backend carries it out, and the log says 499. With proxy_ignore_client_abort
-- (`ignore`) nginx does not look: it asks the backend, and the log says 200. A client that only ended its side
-- (`shutdown`) and waits for its reply looks the same: it gets the file, but the proxy closes the connection without a
-- word.
--
-- Where it was met. Access logs that say 200 where users saw timeouts; bursts of 499 after a pause, and orders placed
-- twice because the clients had tried again; `printf ... | nc` that fails only when a proxy is in between.
--
-- What to do. Read 499 as "not answered", never as "not done": a request that is tried again needs an identity that the
-- backend knows. The error log names clients that left, but only at level info.
local lunet = require "lunet"
local choice = require "lunet.run.choice"
local expect = require "lunet.run.expect"
local experiment = require "lunet.experiment"
local lab = require "lunet.lab"
local nginx = require "lunet.peer.servers.nginx"
local peer_process = require "lunet.peer.process"
local scratch = require "lunet.peer.scratch"

local LONG = lab.LONG
local PORT = lab.PORT

local HTTP = [[
log_format brief '$status $body_bytes_sent';
access_log PLACE/access.log brief;
upstream pool { server BACKEND; keepalive 1; }
proxy_http_version 1.1; proxy_set_header Connection "";
server {
  listen 7300;
  location /static { root PLACE; }
  location /proxy  { proxy_pass http://BACKEND; }
  location /pool   { proxy_pass http://pool; }
  location /unix   { proxy_pass http://unix:PLACE/backend; }
  location /ignore { proxy_pass http://BACKEND; proxy_ignore_client_abort on; }
  location /earlier { proxy_pass http://pool; access_log off; }
  location /later  { return 200; access_log off; }
}
]]

local WHOLE = "GET /%s HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n"
local BODY = "served" -- of the file, and of the backend
local REPLY = ("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"):format(#BODY, BODY)

-- Answers every request, and lists their paths.
local function serve(listener)
  local asked = {}
  lunet.spawn(function()
    listener:serve(function(connection)
      for line in connection:lines() do
        asked[#asked + 1] = line:match "^GET /(%S+)"
        if line == "\r" then connection:send(REPLY) end
      end
    end)
  end)
  return asked
end

-- Asks from the server's own host, and waits for the whole reply.
local function ask(host, path)
  local connection <close> = assert(host:connect({ address = "127.0.0.1", port = PORT, label = "witness" }, LONG))
  assert(connection:send(("GET /%s HTTP/1.0\r\n\r\n"):format(path)))
  return assert(assert(connection:receive("a", LONG)):match "^HTTP/1.1 200")
end

local function text_of(request, mode)
  local whole = WHOLE:format(mode)
  return ({ whole = whole, part = whole:sub(1, -5), none = "" })[request]
end

-- Lets the client leave, and waits until the server's kernel knows. It lists no connection that was reset. A RST that
-- overtakes the request is ignored: the kernel may handle segments of two processors in another order.
local function leave(connection, departure, server)
  local address = connection:address()
  lab.await(function() return connection:unsent() == 0 end)
  connection[departure](connection)
  lab.await(function()
    local socket = lab.socket(server, { local_port = PORT, peer_address = address })
    if departure == "reset" then return not socket end
    return socket and socket.fin
  end)
end

-- The words of the error log about a client that left.
local function error_of(log)
  for _, words in ipairs { "prematurely closed", "reset by peer" } do
    if log:find(words, 1, true) then return words end
  end
  return "nothing"
end

local function run_case(mode, departure, knobs)
  local server, client, backend, to_client, to_backend = lab.hosts { "nginx", "client", "backend" }
  local target = { address = to_client:address(server), port = PORT, label = "client" }
  local upstream = to_backend:address(backend) .. ":7301"
  local place <close> = scratch.open()
  local address = mode == "unix" and { address = "unix:" .. place.path .. "/backend", backlog = 10 }
    or { port = 7301, backlog = 10 }
  local listener = assert(backend:listen(address))
  local asked = serve(listener)
  place:write("static", BODY)
  local process = nginx.start(server, place, (HTTP:gsub("BACKEND", upstream)), PORT)
  if mode == "pool" then ask(server, "earlier") end -- leaves a connection to the backend open

  peer_process.freeze(process)
  local connection = assert(client:connect(target, LONG))
  assert(connection:send(text_of(knobs.request, mode)))
  local answer, _, code = connection:receive("l", knobs.patience)
  leave(connection, departure, server)
  assert(process:thaw())

  ask(server, "later") -- nginx answers it after the client's request
  nginx.finish(process)
  lab.await(function() return lab.depth(listener) == 0 and select(2, listener:gate()) == 0 end)
  local reply = answer or code
  if departure == "shutdown" then reply = assert(connection:receive("a", LONG)):match "^HTTP/1.1 (%d+)" or "EOF" end
  local status, bytes = place:read("access.log"):match "^(%d+) (%d+)\n$"
  listener:close()
  return { mode = mode, departure = departure, status = status or "none", bytes = tonumber(bytes or 0),
    asked = asked[#asked] == mode, reply = reply, error_log = error_of(place:read "error.log") }
end

-- The status in the log, and whether the backend was asked.
local EXPECTED = {
  static = { "200", false },
  proxy = { "499", false },
  pool = { "499", true },
  unix = { "499", true },
  ignore = { "200", true },
}

local MODES = { "static", "proxy", "pool", "unix", "ignore" }
local DEPARTURES = { "close", "reset", "shutdown" }

local function cases_of(knobs) return choice.combinations(knobs, { { "mode", MODES }, { "departure", DEPARTURES } }) end

local function check_case(case)
  local status, asked = table.unpack(EXPECTED[case.mode])
  local is_sent, waits = status == "200" and case.departure ~= "reset", case.departure == "shutdown"
  expect.fields(case.mode .. ", " .. case.departure, case, { status = status, asked = asked,
    bytes = is_sent and #BODY or 0, reply = not waits and "TIMEOUT" or is_sent and "200" or "EOF",
    error_log = is_sent and "nothing" or status == "200" and "reset by peer" or "prematurely closed" })
end

return experiment {
  claim = "For a client that left while nginx was stopped, nginx logs 200 for a file and 499 as a proxy. The "
    .. "backend is asked unless that takes a new TCP connection.",
  knobs = {
    mode = { "all", "mode", "a file; a proxy by new TCP connections, by one kept open, by a Unix socket, "
      .. "with proxy_ignore_client_abort", choices = choice.of(MODES) },
    departure = { "all", "way", "how the client leaves; shutdown: it ends its side and waits for its reply",
      choices = choice.of(DEPARTURES) },
    request = { "whole", "request", "how much of it the client has sent", choices = { "whole", "part", "none" } },
    patience = { 0.05, "s", "how long the client waits for a reply before it leaves", min = 0 },
  },
  -- status, bytes: of the access log. asked: whether the backend got the request. reply: what the client got.
  columns = { "mode", "departure", "status", "bytes", "asked", "reply", "error_log" },
  needs = { nginx = "nginx" },
  control = { request = "part" },

  run = function(knobs)
    lunet.note "Each client has an nginx of its own, which is stopped before the client connects."
    return { cases = lunet.together(cases_of(knobs), function(case)
      return run_case(case.mode, case.departure, knobs)
    end) }
  end,

  check = function(outcome, knobs)
    expect.cases("cases", outcome.cases, cases_of(knobs), { "mode", "departure" })
    if knobs.request == "none" then experiment.not_judged "the clients sent no request" end
    for _, case in ipairs(outcome.cases) do check_case(case) end
  end,

  figures = function(outcome)
    local count = { ["200"] = 0, ["499"] = 0, asked = 0 }
    for _, case in ipairs(outcome.cases) do
      count[case.status] = (count[case.status] or 0) + 1
      if case.status == "499" and case.asked then count.asked = count.asked + 1 end
    end
    return ("200 for %d, 499 for %d of which %d asked the backend"):format(count["200"], count["499"], count.asked)
  end,
}
