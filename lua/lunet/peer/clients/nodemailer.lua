--- nodemailer.
return require("lunet.peer.node").client {
  library = "nodemailer",
  script = 'await require("nodemailer").createTransport({ host, port, ...options }).verify();',
  waits = {
    default = { connect = 120, answer = 30, status = 1, words = "Greeting never received" },
    connect = { option = "connectionTimeout: 3000", connect = 3, answer = 3, status = 1,
      words = "Greeting never" },
    answer = { option = "greetingTimeout: 3000", connect = 120, answer = 3, status = 1,
      words = "Greeting never received" },
  },
}
