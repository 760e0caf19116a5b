--- tedious, for Microsoft's SQL Server.
return require("lunet.peer.node").client {
  library = "tedious",
  script = [[
  const connection = new (require("tedious").Connection)({ server: host, authentication: { type: "default",
    options: { userName: "lunet", password: "lunet" } }, options: { port, encrypt: false, ...options } });
  await new Promise((resolve, reject) => {
    connection.connect((error) => error ? reject(error) : resolve());
  });]],
  waits = {
    default = { connect = 15, answer = 15, status = 1, words = "ETIMEOUT" },
    answer = { option = "connectTimeout: 3000", connect = 3, answer = 3, status = 1, words = "ETIMEOUT" },
  },
}
