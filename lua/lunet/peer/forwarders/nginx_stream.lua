--- nginx's stream module, with its default timeouts.
local CONFIGURATION = [[
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off; worker_processes 1; pid PLACE/pid; lock_file PLACE/lock; error_log PLACE/log info;
events { worker_connections 64; }
stream { server { listen PORT; proxy_pass SERVER:BEHIND; } }
]]

return {
  packages = { "libnginx-mod-stream", "nginx" },
  program = "/usr/lib/nginx/modules/ngx_stream_module.so",
  needs = { nginx = "nginx" },
  version_of = "nginx",
  version = { "-v" },
  command = function(running)
    return { "nginx", "-e", running.place.path .. "/log", "-c", running:write("nginx.conf", CONFIGURATION) }
  end,
  listens = true,
  delivers = { close = true, reset = true },
  logged = { "%[error%][^\n]- (upstream timed out %(%d+: [%a ]+%))",
    "%[error%][^\n]- (connect%(%) failed %(%d+: [%a ]+%))" },
}
