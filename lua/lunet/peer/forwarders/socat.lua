--- socat, which starts a process for each client.
return {
  packages = { "socat" },
  program = "socat",
  version = { "-V" },
  command = function(running)
    return { "socat", "-d", running:fill "TCP-LISTEN:PORT,fork,reuseaddr", running:fill "TCP:SERVER:BEHIND" }
  end,
  listens = true,
  delivers = { close = true, reset = true },
  logged = { " E connect.-: ([%u][%a ]+)\n" },
}
