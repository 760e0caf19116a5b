return {
  shown = {
    b_connect_seconds = "it shows that connect did not wait; how fast a handshake is does not matter to the claim",
  },
}
