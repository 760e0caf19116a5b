--- The runs of script/kernels: a directory for each kernel and user, in it a record for each experiment.
local json = require "lunet.text.json"

local cells = {}

local function read(path)
  local file <close> = io.open(path)
  return file and file:read "a" or ""
end

-- A reason without the directory of this machine's lunet.
local function shortened(why) return why and (why:gsub("%S*/share/lua/5%.4/", "")) end

-- The complaint of lunet, without what it says of its progress.
local function complaint_of(errors)
  for line in errors:gmatch "[^\n]+" do
    local is_progress = line:find ": booting " or line:find ": fetching " or line:find ": note: "
      or line:find "^lunet: waiting for another lunet "
    if not is_progress then return shortened(line:gsub("^lunet: ", "")) end
  end
end

--- The result of one run.
---@class lunet.cell
---@field verdict string "not run" if it was not; "not isolated" if it ran on the machine's own network stack
---@field why? string
---@field figures? string
---@field seconds number that it took, its guest's boot included; 0 if nobody knows
---@field kernel? string the kernel's release
---@field engine? string what ran the kernel, and its clock: "user-mode Linux, real"; nil on this machine's own

--- Reads a cell.
---@param directory string
---@param name string the experiment's
---@return lunet.cell
function cells.read(directory, name)
  local file <close> = io.open(("%s/%s.json"):format(directory, name))
  if not file then return { verdict = "not run", seconds = 0 } end
  local errors = read(("%s/%s.errors"):format(directory, name))
  local seconds = tonumber(read(("%s/%s.seconds"):format(directory, name))) or 0
  local record = json.decode(file:read "a")
  if type(record) ~= "table" then
    return { verdict = "could not run", why = complaint_of(errors) or "it printed no record", seconds = seconds }
  end
  local kernel = record.environment and record.environment.kernel:gsub("^Linux ", "")
  local guest = record.environment and record.environment.guest
  local is_isolated = not errors:find("the machine's own network stack", 1, true)
  return { verdict = is_isolated and record.verdict or "not isolated", why = shortened(record.why), kernel = kernel,
    figures = record.figures, seconds = seconds, engine = guest and ("%s, %s"):format(guest.engine, guest.clock) }
end

return cells
