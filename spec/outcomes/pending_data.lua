local sizes = { taken = true, received = true, waiting_at_server = true, waiting_at_client = true }
for _, field in ipairs { "taken", "at_server", "at_client" } do sizes["absorbed[]." .. field] = true end

return {
  sizes = sizes,
  given = { ["absorbed[].changed"] = "it names what was tried in this row" },
}
