--- The code with which a call failed: its third result.
---@return string? code
return function(...) return (select(3, ...)) end
