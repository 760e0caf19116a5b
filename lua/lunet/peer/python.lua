--- Clients that are made of a library of Python's, which Debian packages.
---
---     return python.client { library = "requests", script = 'requests.get(URL, **options)', waits = ... }
local options = require "lunet.text.options"

local python = {}

local PLACE = "/usr/lib/python3/dist-packages/"

local PROGRAM = [[
import sys
MODULE
address, port, URL, options = "ADDRESS", PORT, "http://ADDRESS:PORT/", dict(OPTION)
try:
SCRIPT
except BaseException as error:
    print(f"failed: {type(error).__name__} {' '.join(str(error).split())}".rstrip(), flush=True)
    sys.exit(1)
print("done")
]]

--- Completes the description of a client. Its script has `address`, `port`, `URL`, and `options` as a dictionary.
---@param description table of lunet.client, with `library`, a module that the script has imported; `package`, Debian's,
--- or nil if Python brings it; `version_of`, an expression, by default the module's __version__; and `script`
---@return lunet.client
function python.client(description)
  local module = description.library
  local script = description.script:gsub("[^\n]+", "    %0")
  local version_of = description.version_of or module .. ".__version__"
  local path = PLACE .. module:match "^[^.]+" .. "/__init__.py"
  local text = PROGRAM:gsub("MODULE", "import " .. module):gsub("SCRIPT", function() return script end)
  return options.merged({
    packages = { "python3" },
    program = "/usr/bin/python3", -- Debian's, which has the libraries
    version = { "-c", ("import %s; print(%s)"):format(module, version_of) },
    libraries = description.package and { [path] = description.package } or nil,
    arguments = { "client.py" },
    files = { ["client.py"] = text },
    says = "(failed: [^\n]*)\n",
  }, description)
end

return python
