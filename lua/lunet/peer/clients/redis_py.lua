--- Python's redis.
return require("lunet.peer.python").client {
  library = "redis",
  package = "python3-redis",
  script = "redis.Redis(host=address, port=port, **options).ping()",
  waits = {
    default = {},
    connect = { option = "socket_connect_timeout=3", connect = 3 },
    answer = { option = "socket_timeout=3", connect = 3, answer = 3, status = 1, words = "TimeoutError" },
  },
}
