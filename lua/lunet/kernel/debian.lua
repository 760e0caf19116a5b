--- Kernels as Debian packages, asked by the ordinary package client with a source list and lists of its own: the
--- machine's packages and lists stay as they are, and nothing needs root (apt-get(8), apt.conf(5)).
local cache = require "lunet.kernel.cache"
local core = require "lunet.core"
local dependency = require "lunet.text.dependency"
local program = require "lunet.kernel.program"

local lfs = dependency "lfs"

local debian = {}

local BYTES = 150e6 -- that the lists take at most, while they are fetched
local DAY = 24 * 3600 -- s, for which lists of packages are new enough
local MIRROR, SECURITY = "http://deb.debian.org/debian", "http://deb.debian.org/debian-security"
local KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

--- Debian's suites from the oldest that is still on the mirrors to the one that becomes the next release. Backports
--- have the kernels between two releases, and those for security have the newest of a release.
debian.SUITES = { "bullseye", "bullseye-security", "bookworm", "bookworm-security", "trixie", "trixie-security",
  "trixie-backports", "forky" }

-- The mirror of a suite that this machine's own sources name, so that one nearby is used.
local function mirror(is_security)
  local text = program.output { "apt-get", "indextargets", "--format", "$(REPO_URI) $(ORIGIN) $(SUITE)",
    "Created-By: Packages" }
  for line in (text or ""):gmatch "[^\n]+" do
    local uri, origin = line:match "^(%S+)/ (%S+)"
    if origin == "Debian" and (uri:find "security" ~= nil) == is_security then return uri end
  end
  return is_security and SECURITY or MIRROR
end

-- The settings by which the package client leaves the machine's own state alone. The machine's proxies stay in use.
local SETTINGS = [[
APT::Sandbox::User "";
APT::Update::Error-Mode "any";
Acquire::Languages "none";
Acquire::Retries "1";
Acquire::Retries::Delay "false";
APT::Get::List-Cleanup "false";
Dir::Etc::SourceList "PLACE/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::State::Lists "PLACE/lists";
Dir::State::Status "/dev/null";
Dir::Cache "PLACE/cache";
]]

-- Runs a program of the package client in a directory.
local function client(place, directory, name, ...)
  local words = { name, "-q", "-c", place .. "/apt.conf", ... }
  words.cwd = directory
  return program.output(words)
end

-- Fetches the lists of the suites one by one, since a mirror may have lost the oldest. The sources become the suites
-- whose lists are here. Returns nil and why if there are none.
local function fetch_lists(place)
  local one, here, last = place .. "/suite.list", {}, nil
  local mirrors = { [true] = mirror(true), [false] = mirror(false) }
  local ok, why = core.replace_file(place .. "/apt.conf", (SETTINGS:gsub("PLACE", place)))
  for _, suite in ipairs(debian.SUITES) do
    local line = ("deb [signed-by=%s] %s %s main\n"):format(KEYRING, mirrors[suite:find "%-security$" ~= nil], suite)
    if ok then ok, why = core.replace_file(one, line) end
    if not ok then return nil, why end
    local text, failure = client(place, place, "apt-get", "-o", "Dir::Etc::SourceList=" .. one, "update")
    if text then here[#here + 1] = line else last = failure end
  end
  if #here == 0 then return nil, last end
  return core.replace_file(place .. "/sources.list", table.concat(here))
end

local function prepare()
  for _, directory in ipairs { "apt/lists/partial", "apt/cache/archives/partial" } do
    local path, message = cache.make(directory)
    if not path then return nil, message end
  end
  return cache.make "apt"
end

-- When the lists were fetched last.
local function age(place)
  local fetched = lfs.attributes(place .. "/fetched", "modification")
  return fetched and os.time() - fetched or math.huge
end

--- Fetches the lists of packages, unless they are new enough. Without a network the old ones stay in use. Only the
--- holder of the cache's lock may call it.
---@param on_fetch fun() called if it fetches
---@return string|nil place their directory
---@return string? message why there are none, or, with a place, why they are old
function debian.update(on_fetch)
  local place, message = prepare()
  if not place then return nil, message end
  if age(place) < DAY then return place end
  local has_room, full = cache.has_room(BYTES)
  if not has_room then return nil, full end
  on_fetch()
  local ok, why = fetch_lists(place)
  if ok then return core.replace_file(place .. "/fetched", "") and place end
  if age(place) < math.huge then return place, why end
  return nil, why
end

--- The versions of packages in Debian's suites.
---@param place string as debian.update gives it
---@param ... string packages
---@return {package: string, version: string, suite: string}[]
---@return string? message
function debian.versions(place, ...)
  local text, message = client(place, place, "apt-cache", "madison", ...)
  local versions = {}
  for package, version, suite in (text or ""):gmatch "(%S+) +|%s*(%S+) | %S+ ([%w-]+)/main" do
    versions[#versions + 1] = { package = package, version = version, suite = suite }
  end
  return versions, message
end

--- The names of packages that begin with some letters.
---@param place string as debian.update gives it
---@param beginning string
---@return string[]
function debian.names(place, beginning)
  local names = {}
  for name in (client(place, place, "apt-cache", "pkgnames", beginning) or ""):gmatch "[^\n]+" do
    names[#names + 1] = name
  end
  return names
end

--- Fetches a package and unpacks it into a directory; installs nothing.
---@param place string as debian.update gives it
---@param package string
---@param version string
---@param into string a directory
---@return true|nil ok
---@return string? message
function debian.unpack(place, package, version, into)
  local text, message = client(place, into, "apt-get", "download", package .. "=" .. version)
  if not text then return nil, message end
  for name in lfs.dir(into) do
    if name:find "%.deb$" then
      text, message = program.output { "dpkg-deb", "-x", into .. "/" .. name, into }
      os.remove(into .. "/" .. name)
      if not text then return nil, message end
    end
  end
  return true
end

return debian
