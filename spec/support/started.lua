--- Specs of real programs that are started for them, and pending where the programs are missing.
local assert = require "luassert"
local lunet = require "lunet"

--- Makes a function that declares such specs.
---@param busted table the environment of the spec, whose `it` and `pending` it takes
---@param name string the program's
---@param reason fun(name: string): string|nil why it cannot be started
---@param start fun(name: string): table, lunet.host, lunet.host? what runs, and hosts for its clients and its server
---@param refused? fun(name: string): boolean whether this machine refuses it, which is all that is to see then
---@return fun(description: string, body: fun(running: table, clients: lunet.host, server: lunet.host?))
return function(busted, name, reason, start, refused)
  return function(description, body)
    busted.it(description, function()
      if reason(name) then return busted.pending(reason(name)) end
      lunet.scope(function()
        if refused and refused(name) then return end
        local running, clients, server = start(name)
        local _closed <close> = running
        body(running, clients, server)
      end)
      assert.same({}, lunet.open_handles())
    end)
  end
end
