--- memjs, for memcached.
return require("lunet.peer.node").client {
  library = "memjs",
  script = 'await require("memjs").Client.create(`${host}:${port}`, options).get("word");',
  waits = {
    default = { connect = 1, answer = 1, connections = 2, status = "runs on" },
    answer = { option = "timeout: 2, conntimeout: 2", connect = 4, answer = 4, connections = 2, status = "runs on" },
  },
}
