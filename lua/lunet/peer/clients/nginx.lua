--- nginx as a client: proxy_pass.
local CONFIGURATION = [[
daemon off;
pid PLACE/pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path PLACE/body;
  proxy_temp_path PLACE/proxy;
  fastcgi_temp_path PLACE/fastcgi;
  uwsgi_temp_path PLACE/uwsgi;
  scgi_temp_path PLACE/scgi;
  server {
    listen 127.0.0.1:7400;
    location / {
      proxy_pass http://ADDRESS:PORT;
      OPTION
    }
  }
}
]]

return require("lunet.peer.proxy").client {
  packages = { "nginx" },
  program = "nginx",
  version = { "-v" },
  files = { ["nginx.conf"] = CONFIGURATION },
  arguments = { "-c", "PLACE/nginx.conf" },
  waits = {
    default = { connect = 60, answer = 60, words = "504" },
    connect = { option = "proxy_connect_timeout 3s;", connect = 3, answer = 60 },
    answer = { option = "proxy_read_timeout 3s;", connect = 60, answer = 3, words = "504" },
  },
}
