--- The programs that a script needs, for a guest that does not see this machine's files.
local catalogue = require "lunet.command.catalogue"
local dependency = require "lunet.text.dependency"

local lfs = dependency "lfs"

local needed = {}

-- The knobs that the words set, unless they are wrong: lunet in the guest says so.
local function knobs_of(experiment, words)
  local values = {}
  for _, knob in ipairs(experiment.knobs) do
    for i, word in ipairs(words) do
      local option, text = word:match "^%-%-([%l%d_]+)=?(.*)$"
      if option == knob.name then
        local ok, value = pcall(knob.parse, knob, text ~= "" and text or words[i + 1] or "")
        if ok then values[knob.name] = value end
      end
    end
  end
  return experiment:settings(values)
end

local function add_needs(all, experiment, words)
  local wanted = experiment.needs
  if type(wanted) == "function" then
    local ok, result = pcall(function() return wanted(knobs_of(experiment, words)) end)
    wanted = ok and result or {}
  end
  for name, package in pairs(wanted) do all[name] = package end
end

-- A script that is no experiment would run if it were loaded.
local function is_experiment(file)
  local text = ""
  local stream <close> = io.open(file)
  if stream then text = stream:read "a" or "" end
  return text:find "lunet.experiment" ~= nil
end

--- The programs that an experiment, or all of a directory, needs, and their Debian packages.
---@param script string a file or a directory
---@param words string[] the words after it
---@return table<string, string>
function needed.by(script, words)
  local all = {}
  local mode = lfs.attributes(script, "mode")
  if mode == "directory" then
    for _, entry in ipairs(catalogue.load(script) or {}) do
      if entry.experiment then add_needs(all, entry.experiment, {}) end
    end
  elseif mode == "file" and is_experiment(script) then
    local experiment = catalogue.experiment(script)
    if experiment then add_needs(all, experiment, words) end
  end
  return all
end

return needed
