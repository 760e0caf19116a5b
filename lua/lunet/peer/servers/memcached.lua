--- memcached, whose -c bounds open files rather than clients. Besides the clients it counts the listening socket and
--- two files of each thread. One file fewer than for one client, and it refuses everybody; one fewer again, and it
--- cannot accept anybody.
return {
  packages = { "memcached" },
  program = "memcached",
  version = { "-V" },
  limit = function(n) return "-c " .. n + 24 end,
  arguments = function(running)
    return { "-p", running.port, "-l", "0.0.0.0", "-U", "0", "-t", "4", "-m", "8", "-c", running.clients + 24, "-v" }
  end,
  holds = "version\r\n",
  held = "^VERSION",
  request = function(word) return ("set %s 0 0 1\r\n1\r\n"):format(word) end,
  answer = "STORED",
  refusal = "Too many open connections",
  evidence = function(running, client)
    return running.converse(client, ("get %s\r\n"):format(table.concat(running.asked, " ")), "END\r\n$")
  end,
  logged = { "(Too many open %w+)" },
  statistics = function(running, client)
    return running.converse(client, "stats\r\n", "END\r\n$"):match "rejected_connections %d+"
  end,
}
