--- nginx as a peer process: one worker, so that clients are served in order, and all its files in one place.
---
---     local place <close> = scratch.open()
---     local process = nginx.start(host, place, "server { listen 8080; root PLACE; }", 8080)
---     ...
---     nginx.finish(process)
local peer_process = require "lunet.peer.process"

local nginx = {}

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
---@param http string what is in the http block of its configuration; PLACE stands for the path of the place
---@param port integer where it will listen
---@return lunet.process
function nginx.start(host, place, http, port)
  local path = place:write("nginx.conf", (CONFIGURATION:format(http):gsub("PLACE", place.path)))
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
