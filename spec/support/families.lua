--- The families of addresses that a listener can have. Every call of an `address` gives one that is
--- free; the Unix paths among them lie in a directory that lives from `open` to `close`.
local lfs = require "lfs"

local families = {
  { name = "IPv4", is_tcp = true, address = function() return "127.0.0.1" end },
  { name = "IPv6", is_tcp = true, address = function() return "::1" end },
  { name = "Unix", is_tcp = false },
  { name = "abstract Unix", is_tcp = false },
}

local directory
local count = 0

local function fresh_name()
  count = count + 1
  return ("%s/%d"):format(directory, count)
end

--- A path where nothing is yet.
families.path = fresh_name

-- The directory's name makes the abstract ones unique too.
families[3].address = function() return "unix:" .. fresh_name() end
families[4].address = function() return "unix:@" .. fresh_name() end

function families.open()
  directory = os.tmpname()
  assert(os.remove(directory) and lfs.mkdir(directory))
end

--- Fails if a path was left behind.
function families.close()
  assert(os.remove(directory))
end

return families
