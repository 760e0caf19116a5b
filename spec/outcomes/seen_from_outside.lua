local BOUND <const> = "it only bounds the age, which the kernel tells"
local GRAIN <const>, FACTOR <const> = 0.02, 3 -- the experiment's, and that of wrong outcomes

return {
  shown = {
    ["queues[].least"] = BOUND,
    ["queues[].most"] = BOUND,
    ["queues[].oldest"] = {
      why = "if the machine takes long to start lunet queues, its look may have been at any time meanwhile",
      when = function(row)
        return row.oldest / FACTOR >= row.least - GRAIN or row.oldest * FACTOR <= row.most + GRAIN
      end,
    },
  },
}
