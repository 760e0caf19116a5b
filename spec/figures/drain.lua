local WHY <const> = "the moment at which the server stops decides who is queued and whose handshake is not over"

local bounds = {}
for _, field in ipairs { "cases[].reset", "cases[].refused", "cases[].served", "kernel[].rsts", "kernel[].queued",
  "kernel[].left", "kernel[].mid", "kernel[].syns", "kernel[].migrated" } do
  bounds[field] = { part = 0.7, why = WHY }
end

return { bounds = bounds }
