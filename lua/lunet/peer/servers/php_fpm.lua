--- PHP's FastCGI process manager with one process. Clients speak FastCGI, as a web server would.
local CONFIGURATION = [[
[global]
error_log = PLACE/log
daemonize = no
[pool]
listen = 0.0.0.0:PORT
pm = static
LIMIT
access.log = PLACE/log
access.format = "%{QUERY_STRING}e %s"
pm.status_path = /status
]]

local SCRIPT = [[<?php
file_put_contents("PLACE/asked", $_SERVER["QUERY_STRING"] . "\n", FILE_APPEND);
echo "served";
]]

-- A record of FastCGI (its specification, 3.3): version, type, request, length of the content.
local function record(kind, content) return string.pack(">BBHHH", 1, kind, 1, #content, 0) .. content end

local function begin() return record(1, string.pack(">HBxxxxx", 1, 0)) end

local function request(word, running, script)
  local words = { SCRIPT_FILENAME = running.place.path .. script, SCRIPT_NAME = script, REQUEST_METHOD = "GET" }
  local parameters = {}
  for name, text in pairs(words) do
    parameters[#parameters + 1] = string.char(#name, #text) .. name .. text
  end
  parameters[#parameters + 1] = string.char(#"QUERY_STRING", #word) .. "QUERY_STRING" .. word
  return begin() .. record(4, table.concat(parameters)) .. record(4, "") .. record(5, "")
end

return {
  packages = { "php-fpm" },
  program = "/usr/sbin/php-fpm*",
  version = { "-v" },
  limit = function(n) return "pm.max_children = " .. n end,
  arguments = function(running)
    running:write("leave.php", SCRIPT)
    return { "-d", "opcache.lockfile_path=" .. running.place.path, -- not /tmp
      "--fpm-config", running:write("php-fpm.conf", CONFIGURATION) }
  end,
  workers = "accept",
  holds = begin(),
  request = function(word, running) return request(word, running, "/leave.php") end,
  ask_status = function(running) return request("", running, "/status") end,
  answer = "served",
  evidence = function(running) return running:file "asked" end,
  logged = { "WORD (%d+)\n", "reached (pm.max_children)" },
}
