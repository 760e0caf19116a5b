--- Go programs that gccgo compiles. Its version is GCC's; the library that it links tells which Go it is.
local gccgo = {}

--- The words of a program that tells the version of Go, for a description's field `version`.
---@param path string of gccgo
---@return string[] words
function gccgo.version(path)
  return { "sh", "-c", ([[grep -aoE -m1 'go1[.0-9]+ gccgo' "$('%s' -print-file-name=libgo.so)"]]):format(path) }
end

return gccgo
