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
  request = function(word) return ("put 1 0 60 %d\r\n%s\r\n"):format(#word, word) end,
  answer = "INSERTED %d+\r\n",
  evidence = function(running, client)
    local questions = {}
    for i = 1, #running.asked do questions[i] = ("peek %d\r\n"):format(i) end
    return running.converse(client, table.concat(questions) .. "list-tube-used\r\n", "USING %S+\r\n$")
  end,
  logged = { "accept%(%): ([^\r\n]*)" },
}
