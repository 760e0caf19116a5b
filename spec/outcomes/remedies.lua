local ORDER <const> = "who comes first to a port that opens again, or is asked again, is a matter of moments"

local function hangs_on_order(record)
  return record.remedy == "close_when_busy" or record.remedy == "refuse_when_busy" or record.naive == "backlog 0"
end

return {
  shown = {
    ["scenario[].again"] = { why = ORDER, when = hangs_on_order },
    ["scenario[].half"] = { why = ORDER, when = hangs_on_order },
    ["scenario[].patient"] = { why = ORDER, when = hangs_on_order },
    ["scenario[].burst"] = { why = ORDER, when = hangs_on_order },
    ["overload[].half_closing"] = "half-closing clients are judged in the scenario, where all else is the same",
    ["overload[].held"] = "how many connections a server holds that accepts early is judged by its bound",
    ["overload[].tries"] = "tries are judged by the bound that a budget keeps and a limit for each request does not",
    repeated = "tells how many disturbed runs were done again; what stayed disturbed is left out",
    invalid = "tells how many runs the machine disturbed; too many of them are not judged",
  },
  sizes = { ["overload[].half_closing"] = true, ["overload[].held"] = true },
}
