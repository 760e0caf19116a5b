--- mqtt. Its connectTimeout covers the broker's answer.
return require("lunet.peer.node").client {
  library = "mqtt",
  script = 'await require("mqtt").connectAsync(`mqtt://${host}:${port}`, options);',
  waits = {
    default = { connect = 30, answer = 30, status = 1, words = "connack timeout" },
    answer = { option = "connectTimeout: 3000", connect = 3, answer = 3, status = 1, words = "connack timeout" },
  },
}
