return {
  shown = {
    ["clients[].tries"] = {
      why = "chance decides at which try the kernel takes the server's own port",
      when = function(row) return row.tries >= 1 end,
    },
  },
}
