--- A sweep by Slurm: the batch script of an array of jobs. Each job does one chunk of the runs. Chunk i of n has every
--- n-th run of the plan, from the i-th on. A job does the runs of its chunk that are missing, so the script may be
--- submitted again. Slurm's word about a job counts for nothing: only the runs' own records count.
local slurm = {}

--- How many chunks there are by default. Slurm takes a second or more to start a job, and has an array of at most 1000
--- (slurm.conf(5), MaxArraySize).
slurm.CHUNKS = 16

--- The seconds between SIGINT and the end of a job's time: Slurm sends the signal up to a minute early (sbatch(1)).
local NOTICE <const> = 60

-- One value of an #SBATCH line. sbatch reads its words as a shell does.
local function value(text) return '"' .. text:gsub('[\\"$`]', "\\%0") .. '"' end

-- The line that puts the output of all jobs into the sweep's directory. sbatch expands % in it. It drops backslashes,
-- and the job then fails for want of such a directory
-- (findings/slurm-scontrol-names-an-output-file-that-is-not-there.sh). So the line is left out.
local function output_line(path)
  if path:find("\\", 1, true) then return "" end
  return ("#SBATCH --output=%s\n"):format(value(path:gsub("%%", "%%%%") .. "/slurm-%A-%a.out"))
end

local SCRIPT <const> = [[
#!/bin/sh
# %s: %d runs are missing. Submit this script as often as you like: it does what is missing.
# What is done: %s
#SBATCH --job-name=%s
#SBATCH --array=1-%d
%s#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=B:INT@%d
%sexec %s "$SLURM_ARRAY_TASK_ID/%d"]]

--- The name of a chunk, as `lunet sweep --run DIR` takes it, apart.
---@param name string "3/16"
---@return integer|nil number from 1; nil if it is no name of a chunk
---@return integer? of how many
function slurm.chunk(name)
  local number, of = name:match "^(%d+)/(%d+)$"
  number, of = math.tointeger(tonumber(number)), math.tointeger(tonumber(of))
  if number and of and number >= 1 and number <= of then return number, of end
  return nil
end

--- The runs of a chunk.
---@param list table[] of the whole plan, from plan:list
---@param number integer from 1
---@param of integer
---@return table[]
function slurm.runs(list, number, of)
  local runs = {}
  for i = number, #list, of do runs[#runs + 1] = list[i] end
  return runs
end

--- The batch script for sbatch(1).
---@param given {path: string, experiment: string, exclusive: boolean, missing: integer, chunks: integer,
---  status: string, run: string} path: of the sweep's directory, absolute; status: the command that tells how far it
---  is; run: the command that does runs, without their name
---@return string text without its last line break
function slurm.script(given)
  return SCRIPT:format(given.experiment, given.missing, given.status, value(given.experiment),
    given.chunks, output_line(given.path), NOTICE,
    given.exclusive and "#SBATCH --exclusive\n" or "", given.run, given.chunks)
end

return slurm
