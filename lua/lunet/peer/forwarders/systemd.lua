--- systemd's forwarder for sockets that systemd has opened.
return {
  packages = { "systemd" },
  program = "/lib/systemd/systemd-socket-proxyd",
  version = { "--version" },
  command = function(running)
    return { "/lib/systemd/systemd-socket-proxyd", running:fill "SERVER:BEHIND" }
  end,
  is_handed = true,
  listens = true,
  delivers = { close = true, reset = true },
  logged = { "Failed to connect to remote host: ([%a ]+)" },
}
