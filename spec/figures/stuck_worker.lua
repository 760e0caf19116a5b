local WHY <const> = "the kernel's hash of random ports deals the clients out, each time anew"

local bounds = {}
for _, field in ipairs { "draws[]", "first[].depths", "first[].held", "first[].hung", "first[].share",
  "first[].overflows", "retries[].held", "retries[].predicted", "retries[].served", "retries[].share",
  "retries[].tried" } do
  bounds[field] = { part = 0.7, why = WHY }
end

return { bounds = bounds }
