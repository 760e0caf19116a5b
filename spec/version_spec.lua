-- CMakeLists.txt has the version. Other files repeat it, since their formats demand that: doc/releasing.md lists them.
local json = require "lunet.text.json"
local listing = require "spec.support.listing"
local program = require "spec.support.program"

local ROOT <const> = os.getenv "LUNET_SOURCE"

local function read(name)
  local file <close> = assert(io.open(ROOT .. "/" .. name))
  return file:read "a"
end

local VERSION <const> = read "CMakeLists.txt":match "\nproject%(lunet VERSION ([%d.]+) "

local function rockspecs()
  local names = {}
  for _, name in ipairs(listing(ROOT)) do
    if name:find "%.rockspec$" then names[#names + 1] = name end
  end
  return names
end

-- The fields of the rockspec, which is a chunk of Lua that sets globals.
local function rockspec()
  local fields = {}
  assert(load(read(rockspecs()[1]), "=rockspec", "t", fields))()
  return fields
end

describe("the version", function()
  it("is what the program and the module say", function()
    assert.equal("lunet " .. VERSION .. ",",
      program.shell(program.quote(os.getenv "LUNET") .. " --version").output:match "^[^,]*,")
    assert.equal(VERSION, (require "lunet".version))
  end)

  it("is in the rockspec and in its name", function()
    local file = "lunet-" .. VERSION
    assert.same({ file .. "-1.rockspec" }, rockspecs())
    local rock = rockspec()
    assert.same({ "lunet", VERSION .. "-1" }, { rock.package, rock.version })
    assert.matches("/" .. file .. ".tar.gz", rock.source.url, 1, true)
  end)

  it("is that of the last entry of Debian's changelog, and of CHANGELOG.md, which says when", function()
    assert.equal("lunet (" .. VERSION .. ") ", read "debian/changelog":match "^[^)]*%) ")
    local version, when = read "CHANGELOG.md":match "\n## ([%d.]+) %(([^)]*)%)\n"
    assert.equal(VERSION, version)
    assert.is_truthy(when == "not yet released" or when:match "^%d%d%d%d%-%d%d%-%d%d$", when)
  end)

  it("is in CITATION.cff", function()
    assert.equal(VERSION, read "CITATION.cff":match "\nversion: ([^\n]*)\n")
  end)
end)

-- The Citation File Format 1.2.0: github.com/citation-file-format/citation-file-format, schema-guide.md.
describe("CITATION.cff", function()
  local NEEDED <const> = { "authors", "cff-version", "message", "title" }
  local ALLOWED <const> = { abstract = true, authors = true, ["cff-version"] = true, commit = true, contact = true,
    ["date-released"] = true, doi = true, identifiers = true, keywords = true, license = true, ["license-url"] = true,
    message = true, ["preferred-citation"] = true, references = true, repository = true,
    ["repository-artifact"] = true, ["repository-code"] = true, title = true, type = true, url = true, version = true }

  it("is YAML with the fields that its format needs, and no others than it knows", function()
    local result = program.shell([[python3 -c 'import json, sys, yaml
json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout, default=str)' ]] .. program.quote(ROOT .. "/CITATION.cff"))
    if result.errors:find "No module named 'yaml'" then
      return pending "python3-yaml is not installed (script/packages release)"
    end
    assert.equal("", result.errors)
    local citation = json.decode(result.output)
    for _, name in ipairs(NEEDED) do assert.is_truthy(citation[name], name) end
    for name in pairs(citation) do assert.is_true(ALLOWED[name], name) end
    assert.same({ "1.2.0", "software", "MIT" }, { citation["cff-version"], citation.type, citation.license })
    assert.equal("string", type(citation.version)) -- 1.0 would be a number
    assert.is_true(#citation.authors > 0)
    for _, author in ipairs(citation.authors) do assert.is_truthy(author.name or author["family-names"]) end
  end)
end)
