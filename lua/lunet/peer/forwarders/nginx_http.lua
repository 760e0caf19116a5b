--- nginx as a proxy of HTTP, with its default timeouts. It connects to the server when it has the whole request.
local CONFIGURATION = [[
daemon off; worker_processes 1; pid PLACE/pid; lock_file PLACE/lock; error_log PLACE/log info;
events { worker_connections 64; }
http {
  client_body_temp_path PLACE/body; proxy_temp_path PLACE/proxy; fastcgi_temp_path PLACE/fastcgi;
  uwsgi_temp_path PLACE/uwsgi; scgi_temp_path PLACE/scgi;
  log_format brief '"$request" $status';
  access_log PLACE/log brief;
  server { listen PORT; location / { proxy_pass http://SERVER:BEHIND; } }
}
]]

return {
  packages = { "nginx" },
  program = "nginx",
  version = { "-v" },
  command = function(running)
    return { "nginx", "-e", running.place.path .. "/log", "-c", running:write("nginx.conf", CONFIGURATION) }
  end,
  listens = true,
  request = function(word) return ("GET /%s HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n"):format(word) end,
  speaks_first = true,
  tells = { "502", "504" },
  answers = "^HTTP/1.1 (%d+)",
  delivers = { close = false, reset = false },
  logged = { "GET /wait HTTP/1.1\" (%d+)", "%[error%][^\n]- (upstream timed out %(%d+: [%a ]+%))",
    "%[error%][^\n]- (connect%(%) failed %(%d+: [%a ]+%))" },
}
