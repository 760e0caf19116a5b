--- pen, a balancer of connections, with one server behind it.
return {
  packages = { "pen" },
  program = "pen",
  version_of = "dpkg-query", -- pen tells none
  version = { "-W", "-f", "${Version}", "pen" },
  command = function(running)
    return { "pen", "-f", "-d", running.port, running:fill "SERVER:BEHIND" }
  end,
  listens = true,
  delivers = { close = true, reset = false },
  logged = { "(blacklisting server 0[%a ]*)" },
}
