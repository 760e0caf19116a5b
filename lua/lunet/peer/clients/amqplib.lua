--- amqplib.
return require("lunet.peer.node").client {
  library = "amqplib",
  script = 'await require("amqplib").connect(`amqp://${host}:${port}`, options);',
  waits = {
    default = {},
    answer = { option = "timeout: 3000", connect = 3, answer = 3, status = 1, words = "ETIMEDOUT" },
  },
}
