--- Clients that are made of a library of Node's, pinned in lua/lunet/peer/npm and fetched by `script/packages npm`.
---
---     return node.client { library = "axios", script = 'await require("axios").get(URL);', waits = ... }
local needs = require "lunet.run.needs"
local options = require "lunet.text.options"

local node = {}

-- Caches of an ordinary user, and of the machine: script/packages.
local function caches()
  local home = os.getenv "XDG_CACHE_HOME" or (os.getenv "HOME" or "") .. "/.cache"
  return { home, "/var/cache" }
end

-- The script runs in an asynchronous function. It can end with an error that nobody handled, or by itself.
local PROGRAM = [[
const say = (...words) => console.log(...words);
const told = (error) => [error.code, error.name, error.message || (error.errors || []).join(", ")]
  .filter((word, i, all) => word && all.indexOf(word) === i).join(" ").replace(/\s+/g, " ");
const fail = (error) => { say("failed:", told(error)); process.exitCode = 1; };
process.on("uncaughtException", fail);
const host = "ADDRESS", port = PORT, URL = "http://ADDRESS:PORT/", options = { OPTION };
(async () => {
SCRIPT
  say("done");
})().catch(fail);
]]

--- The directory with the libraries.
---@return string path the machine's if there is none yet
function node.libraries()
  local path
  for _, cache in ipairs(caches()) do
    path = cache .. "/lunet/npm/node_modules"
    if needs.path(cache .. "/lunet/npm/package-lock.json") then return path end
  end
  return path
end

--- Completes the description of a client. Its script has `host`, `port`, `URL`, and `options` as an object. Events that
--- it reports by `say` come before its last words, which are "failed: CODE NAME MESSAGE" or "done".
---@param description table of lunet.client, with `library`, the name of one in npm/package.json, or nil for what
--- Node brings; and `script`
---@return lunet.client
function node.client(description)
  local path = node.libraries()
  local own = path .. "/" .. (description.library or "") .. "/package.json"
  local question = description.library and ("require(%q).version"):format(own) or "process.version"
  return options.merged({
    packages = { "nodejs" },
    program = "node",
    version = { "-p", question },
    libraries = description.library and { [own] = description.library .. " of script/packages npm" } or nil,
    arguments = { "client.js" },
    files = { ["client.js"] = PROGRAM:gsub("SCRIPT", function() return description.script end) },
    environment = { NODE_PATH = path, NODE_NO_WARNINGS = "1" },
    gave_up = "failed: [^\n]*\n",
    says = "(failed: [^\n]*)\n",
  }, description)
end

return node
