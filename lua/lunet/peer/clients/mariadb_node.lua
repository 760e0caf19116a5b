--- mariadb, MariaDB's library for Node.
return require("lunet.peer.node").client {
  library = "mariadb",
  script = 'await require("mariadb").createConnection({ host, port, user: "lunet", ...options });',
  waits = {
    default = { connect = 1, answer = 1, status = 1 },
    answer = { option = "connectTimeout: 3000", connect = 3, answer = 3, status = 1 },
  },
}
