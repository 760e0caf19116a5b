--- nats.
return require("lunet.peer.node").client {
  library = "nats",
  script = 'await require("nats").connect({ servers: `${host}:${port}`, ...options });',
  waits = {
    default = { connect = 20, answer = 20, ghosts = 0, status = "runs on", words = "TIMEOUT" },
    answer = { option = "timeout: 3000", connect = 3, answer = 3, ghosts = 0, status = "runs on", words = "TIMEOUT" },
  },
}
