--- beanstalkd, which has no setting for its clients. It accepts until it has no descriptor left. Then it tries again
--- without pause, and logs each failure, until a client leaves.
local OWN = 5 -- descriptors: three standard ones, the listening socket, and epoll's

return {
  packages = { "beanstalkd" },
  program = "beanstalkd",
  version = { "-v" },
  limit = function(n) return "RLIMIT_NOFILE " .. n + OWN end,
  limits = function(n) return { nofile = n + OWN } end,
  arguments = function(running) return { "-l", "0.0.0.0", "-p", running.port } end,
  holds = "list-tube-used\r\n",
  held = "^USING",
  -- A tube with a job in it stays when its client leaves.
  request = function(word) return ("use %s\r\nput 1 0 60 1\r\n1\r\n"):format(word) end,
  answer = "INSERTED %d+\r\n",
  evidence = function(running, client) return running.converse(client, "list-tubes\r\n", "\n\r\n$") end,
  logged = { "accept%(%): ([^\r\n]*)" },
}
