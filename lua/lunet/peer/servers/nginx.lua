--- nginx with one worker, which serves clients in order. Its worker_connections bounds the clients, the listening
--- socket and the worker's channel to the master together. At the limit it accepts a client and closes the connection,
--- unless it can close another one that has sent nothing yet.
---
--- Experiments that freeze it bring a configuration of their own:
---
---     local place <close> = scratch.open()
---     local process = nginx.start(host, place, "server { listen 8080; root PLACE; }", 8080)
---     ...
---     nginx.finish(process)
local peer_process = require "lunet.peer.process"

local http = require "lunet.peer.http"

local LIMITED = [[
daemon off; worker_processes 1; pid PLACE/pid; lock_file PLACE/lock; error_log PLACE/log info;
events { LIMIT; }
http {
  client_body_temp_path PLACE/body; proxy_temp_path PLACE/proxy; fastcgi_temp_path PLACE/fastcgi;
  uwsgi_temp_path PLACE/uwsgi; scgi_temp_path PLACE/scgi;
  log_format brief '"$request" $status';
  access_log PLACE/log brief;
  client_header_timeout 600;
  server { listen PORT; root PLACE/put; dav_methods PUT; create_full_put_path on; }
}
]]

local function put(word)
  return ("PUT /%s HTTP/1.1\r\nHost: server\r\nContent-Length: 1\r\nConnection: close\r\n\r\n1"):format(word)
end

local function files(running)
  local words = {}
  for _, word in ipairs(running.asked) do
    if running:file("put/" .. word) ~= "" then words[#words + 1] = word end
  end
  return table.concat(words, "\n")
end

local nginx = http.server {
  packages = { "nginx" },
  program = "nginx",
  version = { "-v" },
  limit = function(n) return "worker_connections " .. n + 2 end,
  workers = "accept",
  arguments = function(running)
    return { "-e", running.place.path .. "/log", "-c", running:write("nginx.conf", LIMITED) }
  end,
  request = put,
  answer = "^HTTP/1.1 201",
  evidence = files,
  logged = { "/WORD HTTP[^\n]-\" (%d+)", "%d (worker_connections) are not enough" },
}

local LONG = 20 -- s; bounds waits for states that do come

-- As root nginx wants to be told whom to become.
local CONFIGURATION = [[
daemon off; worker_processes 1; user root;
pid PLACE/pid; lock_file PLACE/lock; error_log PLACE/error.log info;
events { worker_connections 64; }
http {
  client_body_temp_path PLACE/body; proxy_temp_path PLACE/proxy; fastcgi_temp_path PLACE/fastcgi;
  uwsgi_temp_path PLACE/uwsgi; scgi_temp_path PLACE/scgi;
  %s
}
]]

--- Starts it on a host and waits until it listens. Raises what it has printed if it ends before that.
---@param host lunet.host
---@param place lunet.scratch where its files go, error.log among them
---@param block string what is in the http block of its configuration; PLACE stands for the path of the place
---@param port integer where it will listen
---@return lunet.process
function nginx.start(host, place, block, port)
  local path = place:write("nginx.conf", (CONFIGURATION:format(block):gsub("PLACE", place.path)))
  return peer_process.start(host, { "nginx", "-e", place.path .. "/error.log", "-c", path,
    stderr = "stdout", env = { PATH = (os.getenv "PATH" or "") .. ":/usr/sbin:/sbin" } }, port)
end

--- Lets it end what it has begun, and then itself. Waits.
---@param process lunet.process
function nginx.finish(process)
  assert(process:kill "SIGQUIT")
  assert(process:wait(LONG) == 0)
end

return nginx
