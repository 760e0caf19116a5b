--- stunnel on both sides of a tunnel: one service takes the client's plain text, and the other one makes it plain again
--- before the server.
local CONFIGURATION = [[
foreground = yes
debug = info
pid =
[in]
client = yes
accept = 0.0.0.0:PORT
connect = 127.0.0.1:7399
[out]
accept = 127.0.0.1:7399
connect = SERVER:BEHIND
cert = PLACE/cert.pem
key = PLACE/key.pem
]]

return {
  packages = { "stunnel4", "openssl" },
  program = "stunnel4",
  needs = { openssl = "openssl" },
  version = { "-version" },
  begin = function(running)
    local path = running.place.path
    running:run { "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
      "-subj", "/CN=server", "-keyout", path .. "/key.pem", "-out", path .. "/cert.pem" }
  end,
  command = function(running) return { "stunnel4", running:write("stunnel.conf", CONFIGURATION) } end,
  listens = true,
  tells = { "FIN", "RST" }, -- the two services race
  delivers = { close = true, reset = true },
  logged = { "s_connect: connect [^\n]-: ([%a ]+) %(%d+%)",
    "(s_connect: s_poll_wait [^\n]-: TIMEOUTconnect exceeded)" },
}
