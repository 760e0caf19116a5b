--- Whether lunet forwards the frames of a network, or of one of its ports: only then a script has hands on them.
local forwarded = {}

--- The failure of a method on a network whose frames lunet does not forward.
---@param network lunet.network
---@param method string its name
---@return nil
---@return string message
---@return string code "EOPNOTSUPP"
function forwarded.refuse(network, method)
  return nil, ("%s: lunet does not forward the frames of the %s: give it delay = 0 (EOPNOTSUPP)"):format(method,
    network), "EOPNOTSUPP"
end

--- The wires of a network.
---@param network lunet.network
---@param method string the name of the method that asks
---@return lunet.wire[]|nil wires
---@return string? message
---@return string? code "EOPNOTSUPP"
function forwarded.wires(network, method)
  if network.wires[1] then return network.wires end
  return forwarded.refuse(network, method)
end

return forwarded
