--- Whether the machine has kept an experiment from judging its claim, after all attempts: then a spec can ask nothing
--- of it, and says so in a line.
---@param holds? boolean
---@param why? string
---@return boolean
return function(holds, why)
  local disturbed = holds == nil and why ~= nil and why:find "the machine" ~= nil
  if disturbed then io.stderr:write("not judged: ", why, "\n") end
  return disturbed
end
