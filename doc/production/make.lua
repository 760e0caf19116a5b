-- Plays the incident of doc/production.md: gunicorn behind nginx is frozen, clients give up, and lunet queues looks at
-- it from beside. Prints the page: doc/production/page.md, with what was seen in place of {{NAME}}.
--
--   script/packages peers && build/release/lunet doc/production/make.lua > doc/production.md
--
-- `build/release/lunet doc/production/make.lua blocks` prints only what was seen.
local core = require "lunet.core"
local json = require "lunet.text.json"
local lab = require "lunet.lab"
local lunet = require "lunet"
local peer_process = require "lunet.peer.process"
local nobody = require "lunet.peer.nobody"
local server = require "lunet.peer.server"
local scratch = require "lunet.peer.scratch"

local LUNET <const> = arg[-1]
local IMPATIENT <const>, PATIENT <const> = 50, 3 -- clients
local PATIENCE <const> = 2 -- s; of the impatient ones
local FRONT <const>, BACK <const> = 80, 8000
local LONG <const> = lab.LONG

local PROXY <const> = [[
daemon off; worker_processes 1; pid %s/pid; lock_file %s/lock; error_log stderr;
events { worker_connections 512; }
http {
  client_body_temp_path %s/body; proxy_temp_path %s/proxy; fastcgi_temp_path %s/fastcgi;
  uwsgi_temp_path %s/uwsgi; scgi_temp_path %s/scgi;
  log_format brief '"$request" $status'; access_log %s/log brief;
  server { listen 127.0.0.1:%d; location / { proxy_pass http://127.0.0.1:%d; } }
}
]]

local function start_proxy(host, place)
  local text = PROXY:format(place.path, place.path, place.path, place.path, place.path, place.path, place.path,
    place.path, FRONT, BACK)
  return peer_process.start(host, { "nginx", "-e", "stderr", "-c", place:write("nginx.conf", text), stderr = "keep" },
    FRONT)
end

-- As on the machine itself: its processes are seen, too.
local function output_of(command)
  local stream <close> = assert(io.popen(command))
  return (stream:read "a":gsub(" +\n", "\n"):gsub("%s+$", ""))
end

local function look(words) return output_of(("%s queues %s"):format(LUNET, words)) end

local function entry_of(port)
  for _, entry in ipairs(assert(json.decode(look "--json")).listeners) do
    if entry.port == port then return entry end
  end
end

local function ask(host, word)
  local client = assert(host:connect({ address = "127.0.0.1", port = FRONT, label = word }, LONG))
  assert(client:send(("GET /%s HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n"):format(word)))
  return client
end

local function count(text, pattern) return select(2, text:gsub(pattern, "")) end

-- Freezes the server, and lets clients come and give up. Returns those that stay.
local function break_down(host, gunicorn, seen)
  peer_process.freeze(gunicorn.process)
  local impatient, patient = {}, {}
  for i = 1, IMPATIENT do impatient[i] = ask(host, "order-" .. i) end
  lab.await(function() return entry_of(BACK).depth == IMPATIENT end)
  seen.early = look("--port " .. BACK)
  lunet.sleep(PATIENCE)
  for _, client in ipairs(impatient) do client:close() end
  for i = 1, PATIENT do patient[i] = ask(host, "patient-" .. i) end
  lab.await(function()
    local entry = entry_of(BACK)
    return entry.depth == IMPATIENT + PATIENT and entry.left_by_fin == IMPATIENT
  end)
  lunet.sleep(1)
  seen.late = look("--port " .. BACK)
  seen.ss = output_of "ss -ltn"
  seen.json = look("--port " .. BACK .. " --json")
  return patient
end

local function incident(remedy)
  local seen = {}
  local host <close> = assert(lunet.host "shop")
  local away = assert(core.set_home(host))
  local _home <close> = setmetatable({}, { __close = function() core.set_home(away) end })
  local place <close> = scratch.open()
  nobody.let_in(host, place)
  local gunicorn = server.start("gunicorn", host, { port = BACK })
  start_proxy(host, place)
  local patient = break_down(host, gunicorn, seen)
  if remedy == "thaw" then
    assert(gunicorn.process:thaw())
    for _, client in ipairs(patient) do gunicorn.read_until(client, "served", LONG) end
  else
    assert(gunicorn.process:kill "SIGKILL")
    seen.refused = 0
    for _, client in ipairs(patient) do
      local _, text = gunicorn.read_until(client, nil, LONG)
      seen.refused = seen.refused + (text:find "^HTTP/1.1 502" and 1 or 0)
    end
  end
  local function asked(pattern) return count(gunicorn:file "asked", pattern) end
  if remedy == "thaw" then lab.await(function() return asked "/order%-" == IMPATIENT end) end
  seen.orders, seen.patient = asked "/order%-", asked "/patient%-"
  seen.logged_499 = count(io.open(place.path .. "/log"):read "a", '" 499')
  gunicorn:close()
  return seen
end

local thawed, killed = incident "thaw", incident "kill"
local blocks = { early = thawed.early, late = thawed.late, ss = thawed.ss, json = thawed.json,
  thawed_orders = thawed.orders, thawed_patient = thawed.patient, killed_orders = killed.orders,
  killed_patient = killed.patient, refused = killed.refused, logged_499 = thawed.logged_499,
  impatient = IMPATIENT, patient = PATIENT,
  kernel = core.read_file(nil, "/proc/sys/kernel/osrelease"):match "%S+", gunicorn = server.version "gunicorn" }
if arg[1] == "blocks" then
  for _, name in ipairs { "early", "late", "ss", "thawed_orders", "thawed_patient", "killed_orders", "killed_patient",
    "refused", "logged_499", "kernel" } do print(("== %s\n%s"):format(name, blocks[name])) end
else
  local page <close> = assert(io.open((arg[0]:gsub("make%.lua$", "page.md"))))
  local text = page:read "a"
  io.write((text:gsub("{{([%w_]+)}}", function(name) return assert(blocks[name], name) end)))
end
