--- mysql2.
return require("lunet.peer.node").client {
  library = "mysql2",
  script = 'await require("mysql2/promise").createConnection({ host, port, user: "lunet", ...options });',
  waits = {
    default = { connect = 10, answer = 10, status = 1, words = "connect ETIMEDOUT" },
    answer = { option = "connectTimeout: 3000", connect = 3, answer = 3, status = 1, words = "connect ETIMEDOUT" },
  },
}
