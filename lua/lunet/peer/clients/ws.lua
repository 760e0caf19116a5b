--- ws, a client for WebSockets.
return require("lunet.peer.node").client {
  library = "ws",
  script = [[
  const socket = new (require("ws"))(`ws://${host}:${port}`, options);
  await new Promise((resolve, reject) => { socket.on("open", resolve); socket.on("error", reject); });]],
  waits = {
    default = {},
    answer = { option = "handshakeTimeout: 3000", connect = 3, answer = 3, status = 1, words = "handshake" },
  },
}
