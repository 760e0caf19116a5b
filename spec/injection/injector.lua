--- Faults on purpose: runs an experiment again and again, and lets one system call or one allocation fail in each run.
--- The run must still tell the truth: the outcome that it has without the fault, or that it could not run, and why.
local lunet = require "lunet"
local json = require "dkjson"

local injector = {}

injector.patience = 30 -- s, after which a run hangs; it takes a third of one

-- Errors that the kernel can answer at any time.
injector.CODES = { "EMFILE", "ENOMEM", "EINTR", "ENOBUFS" }
-- Left out: what answers with no error, such as brk(2); and close(2), which ends the descriptor whatever it answers,
-- where strace does not.
local NEVER_FAILS = { brk = true, close = true, exit_group = true, exit = true, execve = true, rt_sigreturn = true,
  restart_syscall = true, getpid = true, getuid = true, geteuid = true, gettid = true, sched_yield = true, futex = true,
  arch_prctl = true, set_tid_address = true, set_robust_list = true, rseq = true }

--- Runs a program to its end.
---@param words string[]
---@return {status: integer|string, output: string, errors: string, hung: boolean}
local function run(words)
  local program = { stdout = "keep", stderr = "keep" }
  local deadline = lunet.now() + injector.patience
  local process <close> = assert(lunet.exec(table.move(words, 1, #words, 1, program)))
  local texts = lunet.together({ process.stdout, process.stderr }, function(stream)
    return stream:receive("a", injector.patience) or ""
  end)
  local status = process:wait(math.max(0.5, deadline - lunet.now())) -- a crash may write a core file after its output
  return { status = status or "hangs", output = texts[1], errors = texts[2], hung = status == nil }
end

local function own(words) return table.move(words, 1, #words, 2, { os.getenv "LUNET" }) end

-- By env(1): the guard that starts the program is to have no fault.
local function with_allocations(words, library, failing)
  local all = { "env", "LD_PRELOAD=" .. library, "FAIL_ALLOCATION=" .. failing }
  return table.move(own(words), 1, #words + 1, #all + 1, all)
end

local function strace(words, options)
  local all = { "strace", "-qq", "-e", "signal=none" }
  table.move(options, 1, #options, #all + 1, all)
  return table.move(own(words), 1, #words + 1, #all + 1, all)
end

local function count_calls(words)
  local trace = os.tmpname()
  assert(not run(strace(words, { "-o", trace })).hung, "a run without a fault hangs")
  local counts = {}
  for line in io.lines(trace) do
    local call = line:match "^([%w_]+)%("
    if call then counts[call] = (counts[call] or 0) + 1 end
  end
  os.remove(trace)
  return counts
end

--- The system calls of a run, without those that start the interpreter: of each its name and number, from 1.
---@param words string[] of lunet's command line
---@return {call: string, number: integer}[]
function injector.calls(words)
  local before, counts, calls = count_calls { "-e", "" }, count_calls(words), {}
  for call, count in pairs(counts) do
    for number = (before[call] or 0) + 1, NEVER_FAILS[call] and 0 or count do
      calls[#calls + 1] = { call = call, number = number }
    end
  end
  table.sort(calls, function(a, b) return a.call < b.call or a.call == b.call and a.number < b.number end)
  return calls
end

--- How many allocations a run makes, and those that start the interpreter.
---@param words string[]
---@param library string the one that fails them
---@return integer first
---@return integer last
function injector.allocations(words, library)
  local function count(given)
    local result = run(with_allocations(given, library, 0))
    return math.tointeger(tonumber(result.errors:match "(%d+) allocations"))
  end
  return count { "-e", "" } + 1, count(words)
end

-- -- what a run says -----------------------------------------------------------------------------

local function is_time(name) return name:find "seconds" or name:find "_ms$" end

-- An outcome as one text, without its times.
local function text_of(value)
  if type(value) ~= "table" then return tostring(value) end
  local parts = {}
  for key, inner in pairs(value) do
    if not is_time(tostring(key)) then parts[#parts + 1] = ("%s=%s"):format(key, text_of(inner)) end
  end
  table.sort(parts)
  return "{" .. table.concat(parts, " ") .. "}"
end

--- The outcome of a run without a fault.
---@param words string[]
---@return string outcome
function injector.truth(words)
  local result = run(own(words))
  local record = json.decode(result.output)
  assert(record and record.verdict == "holds", result.errors .. result.output)
  return text_of(record.outcome)
end

local WORDS = { EMFILE = "too many open files", ENOMEM = "not enough memory", EINTR = "interrupted system call",
  ENOBUFS = "no buffer space available" }

-- Whether a text names the error: by its code, or in the words of libc, libuv or Lua.
local function names(text, code)
  text = text:lower()
  return text:find(code:lower(), 1, true) or text:find(WORDS[code], 1, true)
    or code == "ENOMEM" and text:find("cannot allocate memory", 1, true)
    or text:find("(elibacc)", 1, true) -- the loader of shared libraries has words of its own, and no errno
end

local CRASHES = { SIGSEGV = true, SIGABRT = true, SIGBUS = true, SIGILL = true, SIGFPE = true, SIGTRAP = true }

--- Says what is wrong with a run that had a fault; nil: nothing.
---@param result table
---@param code string of the fault
---@param truth string
---@return string?
local function wrong_with(result, code, truth)
  if result.hung then return "hangs" end
  if CRASHES[result.status] or result.status == 134 or result.status == 139 then return "dies by " .. result.status end
  if result.errors:find("AddressSanitizer", 1, true) or result.errors:find("runtime error:", 1, true) then
    return "the sanitizer: " .. result.errors
  end
  local said = result.errors .. result.output
  local record = json.decode(result.output)
  local verdict = type(record) == "table" and record.verdict
  if verdict == "holds" or verdict == "does not hold" then
    local outcome = text_of(record.outcome)
    if outcome ~= truth then return ("a false verdict: %s, %s"):format(verdict, tostring(record.why)) end
    return nil
  end
  if result.status == 0 then return "status 0 with no verdict" end
  if not names(said, code) then return ("status %s does not name the error: %s"):format(result.status, said) end
  if said:find("attempt to", 1, true) then return "a mistake: " .. said end
  return nil
end

---@class lunet.fault
---@field call? string a system call
---@field number integer which of them, or which allocation
---@field code string
---@field library? string that fails the allocation
---@field is_in_all? boolean whether the call fails in each process that lunet starts, too

-- The command of a run with a fault.
local function command_of(words, fault)
  if not fault.call then return with_allocations(words, fault.library, fault.number) end
  local inject = ("inject=%s:error=%s:when=%d"):format(fault.call, fault.code, fault.number)
  local options = { "-o", "/dev/null", "-e", "trace=" .. fault.call, "-e", inject }
  if fault.is_in_all then options[#options + 1] = "-f" end
  return strace(words, options)
end

--- Tries one fault.
---@param words string[]
---@param fault lunet.fault
---@param truth string
---@return string? wrong
---@return table result
function injector.try(words, fault, truth)
  local result = run(command_of(words, fault))
  return wrong_with(result, fault.code, truth), result
end

--- Names a fault by the command that has it.
---@param words string[]
---@param fault lunet.fault
---@return string
function injector.describe(words, fault) return table.concat(command_of(words, fault), " ") end

return injector
